"""``toolsync fetch``."""

from __future__ import annotations

from pathlib import Path

import click

from toolsync.cli import render
from toolsync.cli.session import Settings, chosen_tool, opened


@click.command("fetch")
@click.argument("tool", metavar="[TOOL|DIR]", default=".")
@click.option("--version", "wanted", help="This version instead of the newest.")
@click.option(
    "--output",
    "-o",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path(),
    help="The folder for the files; the current one if not given.",
)
@click.option("--json", "as_json", is_flag=True, help="Print an object.")
@click.pass_obj
def command(settings: Settings, tool: str, wanted: str | None, output: Path, as_json: bool) -> int:
    """Fetch, verify and unpack the newest release of TOOL into a folder, and nothing else.

    A refused release leaves nothing there.
    """
    from toolsync.model import dump
    from toolsync.obtain import obtain

    with opened(settings) as bench:
        chosen = chosen_tool(bench.config, tool)
        found = obtain(bench, chosen, wanted, output)
    if as_json:
        row = dump(found)
        render.as_json({k: v for k, v in row.items() if k not in ("resolution", "exit_status")})
        return found.exit_status
    if found.accepted:
        click.echo(f"{output / str(found.orig)} ({found.message})")
    else:
        click.echo(f"{found.tool} {found.version or ''}: {found.status}: {found.message}")
        if found.resolution:
            click.echo(f"  → {found.resolution}")
    return found.exit_status
