"""``toolsync page``."""

from __future__ import annotations

from pathlib import Path

import click

from toolsync.cli import render
from toolsync.cli.session import Settings, chosen_tools, opened, say
from toolsync.model.errors import FINE
from toolsync.system.underway import step


@click.command("page")
@click.option(
    "--output",
    "-o",
    metavar="DIR",
    type=click.Path(path_type=Path, file_okay=False),
    help="The folder to write, instead of [report.page] path or STATE/page.",
)
@click.option("--json", "as_json", is_flag=True, help="Print an object.")
@click.pass_obj
def command(settings: Settings, output: Path | None, as_json: bool) -> int:
    """Write the static site: where each tool stands, how to install, and the evidence.

    It works from a folder as well as from a web server; toolsync run writes it too where
    [report.page] names a folder.
    """
    from toolsync.pipeline.workers import processes
    from toolsync.report.site import write_site

    with opened(settings) as context:
        tools, faulty = chosen_tools(context.config, ())
        folder = output or context.config.site
        with step("writing the page"):
            files = write_site(context, tools, faulty, folder, processes=processes(len(tools)))
    index = (folder / "index.html").absolute()
    if as_json:
        render.as_json({"index": str(index), "files": len(files), "tools": len(tools)})
    else:
        say(f"{index}: {len(tools)} tools")
    return FINE
