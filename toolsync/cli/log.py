"""``toolsync log``."""

from __future__ import annotations

import click

from toolsync.cli import render
from toolsync.cli.session import Settings, chosen_tool, opened, say, tool_names
from toolsync.model.errors import FINE


@click.command("log")
@click.argument("tool", shell_complete=tool_names)
@click.option("--limit", type=click.IntRange(1), default=1000, help="How many lines at most.")
@click.option("--json", "as_json", is_flag=True, help="Print a list of objects.")
@click.pass_obj
def command(settings: Settings, tool: str, limit: int, as_json: bool) -> int:
    """Show what was done for TOOL, oldest first."""
    from toolsync.model.release import dump

    with opened(settings) as context:
        chosen = chosen_tool(context.config, tool)
        entries = context.journal.log.of(chosen.name, limit)
    if as_json:
        render.as_json([dump(entry) for entry in entries])
    elif entries:
        render.table(
            [
                (e.at, e.version, e.stage, e.scope, e.event, e.message.split("\n")[0])
                for e in entries
            ]
        )
    else:
        say(f"Nothing was ever done for {chosen.name}.")
    return FINE
