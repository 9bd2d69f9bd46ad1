"""``toolsync run``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from toolsync.cli import render
from toolsync.cli.session import Settings, anew, chosen_tools, followed, note, opened, say
from toolsync.model.errors import gravest
from toolsync.system import journald

if TYPE_CHECKING:
    from toolsync.maintain.service import Preview, RunResult
    from toolsync.model.release import Outcome


@click.command("run")
@click.option("--all", "every", is_flag=True, help="Look at all tools, due or not.")
@click.option("--dry-run", is_flag=True, help="Look, and say what would be done and told.")
@click.option("--json", "as_json", is_flag=True, help="Print an object.")
@click.pass_obj
def command(settings: Settings, every: bool, dry_run: bool, as_json: bool) -> int:
    """Do what a timer or cron wants done: sync all tools that are due, then tell what changed.

    A tool is due as often as its own history makes news likely, once a week at least.

    A second run on the same state leaves at once, with exit status 4.
    """
    from toolsync.maintain.retire import in_plan
    from toolsync.maintain.service import preview, run_once
    from toolsync.pipeline.schedule import due
    from toolsync.pipeline.status import fitting_series

    with opened(settings, lock="" if dry_run else "run") as context:
        chosen, faulty = chosen_tools(context.config, (), listed=True)
        chosen = in_plan(context, chosen, named=False)
        fitting = tuple(tool for tool in chosen if fitting_series(context.config, tool))
        chosen = fitting if every else due(context, fitting)
        if dry_run:
            return _show_preview(preview(context, fitting, faulty, chosen), as_json)
        chosen, unread = anew(chosen)
        faulty += unread
        fresh = {tool.name: tool for tool in followed(context, chosen)}
        fitting = tuple(fresh.get(tool.name, tool) for tool in fitting)
        came = run_once(context, fitting, faulty, due=tuple(fresh.values()))
    _show(came, as_json)
    for channel, error in came.troubles:
        note(f"{channel}: {error}", {"channel": channel}, grave=True)
        note(f"  → {error.resolution}", {"channel": channel}) if error.resolution else None
    return came.exit_status


def _show_preview(found: Preview, as_json: bool) -> int:
    if as_json:
        rows = [render.outcome_row(outcome) for outcome in found.outcomes]
        messages = [{"channel": channel, "text": text} for channel, text in found.messages]
        render.as_json({"tools": rows, "letters": messages})
    else:
        render.outcomes(found.outcomes)
        for channel, text in found.messages:
            say(f"\nto {channel}:\n{text}")
    return gravest(outcome.exit_status for outcome in found.outcomes)


def _show(came: RunResult, as_json: bool) -> None:
    """Print what came: to a person a table, to a script an object, to the journal fields."""
    if as_json:
        rows = [{**render.outcome_row(o), "published": list(o.done)} for o in came.outcomes]
        troubles = [{"channel": name, "message": str(error)} for name, error in came.troubles]
        render.as_json(
            {
                "exit_status": came.exit_status,
                "tools": rows,
                "letters": came.messages,
                "troubles": troubles,
            }
        )
    elif not journald.connected():
        render.outcomes(came.outcomes)
    else:
        for outcome in came.outcomes:
            _enter(outcome)


def _enter(outcome: Outcome) -> None:
    names = ("tool", "status", "current", "newest", "url", "resolution")
    fields = {name: str(getattr(outcome, name) or "") for name in names}
    text = f"{outcome.tool} is {outcome.status}: {outcome.message}"
    note(text, fields, grave=bool(outcome.exit_status))
