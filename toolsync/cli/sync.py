"""``toolsync sync``."""

from __future__ import annotations

import click

from toolsync.cli import render
from toolsync.cli.session import Settings, chosen_tools, followed, opened, say, tool_names
from toolsync.model.errors import gravest


@click.command("sync")
@click.argument("tools", shell_complete=tool_names, nargs=-1, metavar="[TOOL|DIR]...")
@click.option("--target", metavar="TARGET", help="local, or ppa:OWNER/NAME.")
@click.option("--dry-run", is_flag=True, help="Look, and say what would be done.")
@click.option("--retry", is_flag=True, help="Try again what did not build, though unchanged.")
@click.option("--jobs", type=click.IntRange(1, 256), help="How many pages to look at at once.")
@click.option("--per-host", type=click.IntRange(1, 256), help="How many at once of one host.")
@click.option("--json", "as_json", is_flag=True, help="Print a list of objects.")
@click.pass_obj
def command(
    settings: Settings,
    tools: tuple[str, ...],
    target: str | None,
    dry_run: bool,
    retry: bool,
    jobs: int | None,
    per_host: int | None,
    as_json: bool,
) -> int:
    """Take every new release as far as it may go: fetch, verify, check, build, publish, confirm.

    What is finished is never done again, and what a person must decide waits.
    """
    from toolsync.maintain.retire import in_plan
    from toolsync.pipeline.status import fitting_series, misfit
    from toolsync.pipeline.sync import sync

    lock = "" if dry_run else "sync"
    with opened(settings, lock=lock, target=target, jobs=jobs, per_host=per_host) as context:
        chosen, faulty = chosen_tools(context.config, tools)
        if not tools:  # named ones that do not fit are an error; of all, they are left out
            left_out = [tool for tool in chosen if not fitting_series(context.config, tool)]
            for tool in left_out:
                say(f"{tool.name} is left out: {misfit(context.config, tool)}", err=True)
            chosen = tuple(tool for tool in chosen if tool not in left_out)
        chosen = in_plan(context, chosen, named=bool(tools))
        if not dry_run:
            chosen = followed(context, chosen)
        at_once = context.config.jobs
        found = [*sync(context, chosen, at_once, dry_run=dry_run, retry=retry), *faulty]
    if as_json:
        render.as_json([{**render.outcome_row(o), "published": list(o.done)} for o in found])
    else:
        render.outcomes(found)
    return gravest(outcome.exit_status for outcome in found)
