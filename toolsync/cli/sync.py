"""``toolsync sync``."""

from __future__ import annotations

import click

from toolsync.cli import render
from toolsync.cli.session import Settings, chosen_tools, opened
from toolsync.errors import gravest


@click.command("sync")
@click.argument("tools", nargs=-1, metavar="[TOOL|DIR]...")
@click.option("--target", metavar="TARGET", help="local, or ppa:OWNER/NAME.")
@click.option("--dry-run", is_flag=True, help="Look, and say what would be done.")
@click.option("--jobs", type=click.IntRange(1, 256), help="How many pages to look at at once.")
@click.option("--json", "as_json", is_flag=True, help="Print a list of objects.")
@click.pass_obj
def command(
    settings: Settings,
    tools: tuple[str, ...],
    target: str | None,
    dry_run: bool,
    jobs: int | None,
    as_json: bool,
) -> int:
    """Take every new release as far as it may go: fetch, verify, check, build, publish, confirm.

    What is finished is never done again, and what a person must decide waits.
    """
    from toolsync.pipeline import sync
    from toolsync.plan import fitting_series

    with opened(settings, lock="" if dry_run else "sync", target=target) as bench:
        chosen, faulty = chosen_tools(bench.config, tools)
        if not tools:  # named ones that do not fit are an error; of all, they are left out
            chosen = tuple(tool for tool in chosen if fitting_series(bench.config, tool))
        found = [*sync(bench, chosen, jobs or bench.config.jobs, dry_run=dry_run), *faulty]
    if as_json:
        render.as_json([{**render.outcome_row(o), "published": list(o.done)} for o in found])
    else:
        render.outcomes(found)
    return gravest(outcome.exit_status for outcome in found)
