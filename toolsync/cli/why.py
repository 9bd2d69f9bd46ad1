"""``toolsync why``."""

from __future__ import annotations

import click

from toolsync.cli import render
from toolsync.cli.session import Settings, chosen_tool, opened, say, tool_names
from toolsync.model.errors import FINE


@click.command("why")
@click.argument("tool", shell_complete=tool_names)
@click.option("--json", "as_json", is_flag=True, help="Print an object.")
@click.pass_obj
def command(settings: Settings, tool: str, as_json: bool) -> int:
    """Say in a sentence or two why TOOL is at the version that it is at."""
    from toolsync.pipeline.outcome import last_standing
    from toolsync.pipeline.rebuilds import second_builds
    from toolsync.report.sentences import plain
    from toolsync.report.why import why

    with opened(settings) as context:
        chosen = chosen_tool(context.config, tool)
        outcome = last_standing(context, chosen)
        page = context.journal.pages.of(chosen.name)
        current = outcome.current if outcome else None
        built = second_builds(context.journal.results.of(chosen.name), current or "")
        answer = why(chosen.name, outcome, context.journal.log.of(chosen.name), built)
        looked = f"\nIts page was last looked at on {plain(page.looked)}." if page else ""
    if as_json:
        row = render.outcome_row(outcome) if outcome else {"tool": chosen.name}
        render.as_json({**row, "why": answer})
    else:
        say(answer + looked)
    return FINE
