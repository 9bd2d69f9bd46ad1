"""``toolsync evidence``."""

from __future__ import annotations

import click

from toolsync.cli import render
from toolsync.cli.session import Settings, chosen_tool, opened, say
from toolsync.errors import FINE, UsageError


@click.command("evidence")
@click.argument("tool")
@click.argument("version")
@click.option("--json", "as_json", is_flag=True, help="Print an object.")
@click.pass_obj
def command(settings: Settings, tool: str, version: str, as_json: bool) -> int:
    """Show the proof of a release: page, digests, signatures, gates, build, apt's confirmation."""
    from toolsync.report.evidence import evidence, lines

    with opened(settings) as bench:
        chosen = chosen_tool(bench.config, tool)
        releases = {row["version"]: row for row in bench.journal.releases(chosen.name)}
        if version not in releases:
            raise UsageError(
                f"{chosen.name} {version} was never taken; there are: "
                f"{', '.join(releases) or 'none'}",
                resolution=f"See toolsync log {chosen.name}.",
            )
        record = evidence(
            chosen.name,
            version,
            releases[version],
            bench.journal.results(chosen.name, version),
            bench.journal.uploads(chosen.name),
        )
    if as_json:
        render.as_json(record)
    else:
        say("\n".join(lines(record)))
    return FINE
