"""``toolsync check``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import click

from toolsync.cli import render
from toolsync.cli.session import (
    Settings,
    config_for,
    opened_with,
    places_of,
    read_tools,
    tool_names,
)
from toolsync.model.errors import FINE, SOMETHING_NEW, gravest

if TYPE_CHECKING:
    from pathlib import Path

    from toolsync.config.settings import Config
    from toolsync.model.release import Outcome


@click.command("check")
@click.argument("tools", shell_complete=tool_names, nargs=-1, metavar="[TOOL|DIR]...")
@click.option("--jobs", type=click.IntRange(1, 256), help="How many pages to look at at once.")
@click.option("--per-host", type=click.IntRange(1, 256), help="How many at once of one host.")
@click.option("--json", "as_json", is_flag=True, help="Print a list of objects.")
@click.option("--exit-code", is_flag=True, help="Exit with 10 where something is new.")
@click.pass_obj
def command(
    settings: Settings,
    tools: tuple[str, ...],
    jobs: int | None,
    per_host: int | None,
    as_json: bool,
    exit_code: bool,
) -> int:
    """Look at the release pages and say what is new; change nothing.

    Each tool ends in one status: up-to-date, new, held, recalled, replaced, drifted,
    unreachable or error. A page that could not be reached is never called up-to-date.
    """
    from toolsync.pipeline.survey import check
    from toolsync.pipeline.workers import shared

    def look(config: Config, places: Mapping[str, Path]) -> list[Outcome]:
        with opened_with(config, settings) as context:
            chosen, faulty = read_tools(config, places)
            return [*check(context, chosen, config.jobs), *faulty()]

    config = config_for(settings, jobs=jobs, per_host=per_host)
    found = shared(config, places_of(config, tools), look)
    if as_json:
        render.as_json([render.outcome_row(outcome) for outcome in found])
    else:
        render.outcomes(found)
    status = gravest(outcome.exit_status for outcome in found)
    if status == FINE and exit_code and any(outcome.status == "new" for outcome in found):
        return SOMETHING_NEW
    return status
