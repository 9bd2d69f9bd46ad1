"""``toolsync status``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import click

from toolsync.cli import render
from toolsync.cli.session import (
    Reader,
    Settings,
    chosen_tools,
    is_many,
    opened,
    places_of,
    require_some,
    say,
    tool_names,
)
from toolsync.model.errors import SETUP, Damaged, gravest

if TYPE_CHECKING:
    from toolsync.journal.pages import PageRow
    from toolsync.journal.uploads import Upload
    from toolsync.maintain.plan import Orphan
    from toolsync.model.release import Outcome
    from toolsync.pipeline.context import Context
    from toolsync.pipeline.status import Planned


@click.command("status")
@click.argument("tools", shell_complete=tool_names, nargs=-1, metavar="[TOOL]...")
@click.option("--json", "as_json", is_flag=True, help="Print a list of objects.")
@click.pass_obj
def command(settings: Settings, tools: tuple[str, ...], as_json: bool) -> int:
    """Show where every tool stood at its last look, without asking anybody.

    What is served and no longer belongs to the set-up is told, too: tools that are followed no
    longer, packages that the newest ones do not have, series that are not set up.
    """
    with opened(settings) as context:
        found = _in_full(context, tools) if as_json else _listed(context, tools)
    left = [outcome for outcome in map(_out_of_plan, found.orphans) if outcome]
    found.rows += [(outcome.tool, outcome, None) for outcome in (*found.faulty, *left)]
    (_print_json if as_json else _print_table)(found)
    return gravest(outcome.exit_status for _, outcome, _ in found.rows if outcome is not None)


@dataclass(slots=True)
class _Found:
    """What there is to tell."""

    rows: list[tuple[str, Outcome | None, PageRow | None]] = field(default_factory=list)
    faulty: Sequence[Outcome] = ()
    orphans: Sequence[Orphan] = ()
    sent: dict[str, list[Upload]] = field(default_factory=dict)
    """Of each tool the newest uploads, for JSON alone."""
    unserved: list[str] = field(default_factory=list)
    """Lines about uploads that are not served yet, for the table."""


def _in_full(context: Context, names: tuple[str, ...]) -> _Found:
    """Return all that JSON tells, warnings and uploads too."""
    from toolsync.pipeline.ahead import each_ahead
    from toolsync.pipeline.outcome import last_standing
    from toolsync.report.uploads import newest_uploads

    chosen, faulty = chosen_tools(context.config, names, elsewhere=True, listed=True)
    found = _Found(faulty=faulty)
    for near, tool in each_ahead(context, chosen):
        page = near.journal.pages.last_look(tool.name)
        found.rows.append((tool.name, last_standing(near, tool), page))
        found.sent[tool.name] = newest_uploads(near.journal.uploads.of(tool.name))
    found.orphans = [] if names else _left_over(context, chosen, faulty)
    return found


def _listed(context: Context, names: tuple[str, ...]) -> _Found:
    """Return what the table tells; of very many tools by what is kept where nothing changed."""
    from toolsync.maintain.listed import Standings

    places = places_of(context.config, names)
    if not names:
        places |= {str(folder): folder for folder in context.config.named_folders.values()}
    many = is_many(places)
    reader = Reader(context.config, places, kept=many)
    standings, found = Standings(context, kept=many), _Found()
    planned = []
    for near, one in standings.each(places, reader.read):
        found.rows.append((one.name, one.outcome, near.journal.pages.last_look(one.name)))
        found.unserved += one.unserved
        planned.append(one)
    require_some(places, standings.faults)
    reader.keep()
    standings.keep()
    found.faulty = standings.faulty
    found.orphans = [] if names else _left_over(context, planned, found.faulty)
    return found


def _left_over(
    context: Context, planned: Sequence[Planned], faulty: Sequence[Outcome]
) -> list[Orphan]:
    from toolsync.maintain.plan import orphans

    try:
        return orphans(context.config, context.journal, planned, faulty)
    except Damaged:
        return []  # of an archive that is damaged each tool's row tells


def _print_json(found: _Found) -> None:
    from toolsync.report.uploads import upload_record

    told = {name: list(map(upload_record, uploads)) for name, uploads in found.sent.items()}
    render.as_json(
        [
            {
                **_object(*row),
                "uploads": told.get(row[0], []),
                "orphans": [_orphan(orphan) for orphan in found.orphans if orphan.tool == row[0]],
            }
            for row in found.rows
        ]
    )


def _print_table(found: _Found) -> None:
    from toolsync.report.columns import COLUMNS

    more = (column.head.upper() for column in COLUMNS)
    head = ("TOOL", "PUBLISHED", "NEWEST", "STATUS", *more)
    render.table([head, *(_cells(*row) for row in found.rows)])
    for line in found.unserved:
        say(line)
    for orphan in found.orphans:
        say(f"{orphan.tool}: {orphan.message}\n  → {orphan.resolution}")


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
