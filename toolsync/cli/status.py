"""``toolsync status``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from toolsync.cli import render
from toolsync.cli.session import Settings, chosen_tools, opened, say, tool_names
from toolsync.model.errors import SETUP, Damaged, gravest

if TYPE_CHECKING:
    from toolsync.journal.pages import PageRow
    from toolsync.journal.uploads import Upload
    from toolsync.maintain.plan import Orphan
    from toolsync.model.release import Outcome


@click.command("status")
@click.argument("tools", shell_complete=tool_names, nargs=-1, metavar="[TOOL]...")
@click.option("--json", "as_json", is_flag=True, help="Print a list of objects.")
@click.pass_obj
def command(settings: Settings, tools: tuple[str, ...], as_json: bool) -> int:
    """Show where every tool stood at its last look, without asking anybody.

    What is served and no longer belongs to the set-up is told, too: tools that are followed no
    longer, packages that the newest ones do not have, series that are not set up.
    """
    from toolsync.maintain.plan import orphans
    from toolsync.pipeline.ahead import each_ahead
    from toolsync.pipeline.outcome import last_standing
    from toolsync.report.columns import COLUMNS
    from toolsync.report.uploads import newest_uploads, upload_lines, upload_record

    rows: list[tuple[str, Outcome | None, PageRow | None]]
    sent: dict[str, list[Upload]]
    with opened(settings) as context:
        chosen, faulty = chosen_tools(context.config, tools, elsewhere=True, listed=True)
        rows, sent = [], {}
        for near, tool in each_ahead(context, chosen):
            page = near.journal.pages.last_look(tool.name)
            rows.append((tool.name, last_standing(near, tool), page))
            sent[tool.name] = newest_uploads(near.journal.uploads.of(tool.name))
        try:
            left = [] if tools else orphans(context.config, context.journal, chosen, faulty)
        except Damaged:
            left = []  # of an archive that is damaged each tool's row tells
    rows += [(outcome.tool, outcome, None) for outcome in faulty]
    rows += [(outcome.tool, outcome, None) for outcome in map(_out_of_plan, left) if outcome]
    if as_json:
        told = {name: list(map(upload_record, uploads)) for name, uploads in sent.items()}
        render.as_json(
            [
                {
                    **_object(*row),
                    "uploads": told.get(row[0], []),
                    "orphans": [_orphan(orphan) for orphan in left if orphan.tool == row[0]],
                }
                for row in rows
            ]
        )
    else:
        more = (column.head.upper() for column in COLUMNS)
        head = ("TOOL", "PUBLISHED", "NEWEST", "STATUS", *more)
        render.table([head, *(_cells(*row) for row in rows)])
        for line in (line for name in sent for line in upload_lines(sent[name])):
            say(line)
        for orphan in left:
            say(f"{orphan.tool}: {orphan.message}\n  → {orphan.resolution}")
    return gravest(outcome.exit_status for _, outcome, _ in rows if outcome is not None)


def _orphan(orphan: Orphan) -> dict[str, str]:
    texts = {"message": orphan.message, "resolution": orphan.resolution}
    return {"part": orphan.part, **texts}


def _out_of_plan(orphan: Orphan) -> Outcome | None:
    """Return a row for a tool that is served and not followed; None for what a tool has left."""
    from toolsync.model.release import Outcome

    newest = orphan.packages[-1].version
    return (
        None
        if orphan.part
        else Outcome(
            tool=orphan.tool,
            status="error",
            current=newest,
            newest=None,
            url=None,
            message=orphan.message,
            resolution=orphan.resolution,
            exit_status=SETUP,
        )
    )


def _object(name: str, outcome: Outcome | None, page: PageRow | None) -> dict[str, object]:
    """Return what ``check --json`` gives for a tool, nulls before its first look."""
    known = dict.fromkeys(("current", "newest", "status", "url", "message"))
    row = render.outcome_row(outcome) if outcome else {"tool": name, **known}
    return {**row, **_more(name, outcome, page)}


def _more(name: str, outcome: Outcome | None, page: PageRow | None) -> dict[str, str | None]:
    from toolsync.report.columns import Known, values

    return values(Known(tool=name, outcome=outcome, page=page))


def _cells(name: str, outcome: Outcome | None, page: PageRow | None) -> tuple[str, ...]:
    more = [value or "-" for value in _more(name, outcome, page).values()]
    if outcome is None:
        return (name, "-", "-", "never looked at", *more)
    versions = (outcome.current or "-", outcome.newest or "?")
    note = f" ({', '.join(outcome.rejected)} rejected)" if outcome.rejected else ""
    return (name, *versions, outcome.status + note, *more)
