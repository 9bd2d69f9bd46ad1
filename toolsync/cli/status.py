"""``toolsync status``."""

from __future__ import annotations

import click

from toolsync.cli import render
from toolsync.cli.session import Settings, chosen_tools, opened
from toolsync.errors import gravest


@click.command("status")
@click.argument("tools", nargs=-1, metavar="[TOOL]...")
@click.option("--json", "as_json", is_flag=True, help="Print a list of objects.")
@click.pass_obj
def command(settings: Settings, tools: tuple[str, ...], as_json: bool) -> int:
    """Show where every tool stood at its last look, without asking anybody."""
    from toolsync.survey import last_standing

    with opened(settings) as bench:
        chosen = chosen_tools(bench.config, tools)
        found = [(tool, last_standing(bench, tool)) for tool in chosen]
        looked = {tool.name: bench.journal.page(tool.name) for tool in chosen}
    known = [outcome for _, outcome in found if outcome is not None]
    if as_json:
        rows = [render.outcome_row(outcome) for outcome in known]
        render.as_json([{**row, "looked": _when(looked[row["tool"]])} for row in rows])
        return gravest(outcome.exit_status for outcome in known)
    lines = [("TOOL", "PUBLISHED", "NEWEST", "STATUS", "LAST LOOK")]
    for tool, outcome in found:
        if outcome is None:
            lines.append((tool.name, "-", "-", "never looked at", "-"))
            continue
        versions = (outcome.current or "-", outcome.newest or "?")
        lines.append((tool.name, *versions, outcome.status, _when(looked[tool.name])))
    render.table(lines)
    return gravest(outcome.exit_status for outcome in known)


def _when(row: object) -> str:
    return str(getattr(row, "looked", "-"))
