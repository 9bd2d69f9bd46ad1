"""``toolsync workspace``."""

from __future__ import annotations

from pathlib import Path

import click

from toolsync.cli import render
from toolsync.cli.session import Settings, chosen_tool, opened, say, tool_names
from toolsync.model.errors import FINE
from toolsync.model.values import dump


@click.command("workspace")
@click.argument("tool", shell_complete=tool_names, metavar="TOOL")
@click.option("--version", "wanted", default="", help="This release instead of the newest.")
@click.option(
    "--output",
    "-o",
    type=click.Path(path_type=Path, file_okay=False),
    help="The tree's folder, instead of ./SOURCE-VERSION.",
)
@click.option("--done", is_flag=True, help="Take what was mended in the tree, for the next sync.")
@click.option("--json", "as_json", is_flag=True, help="Print an object.")
@click.pass_obj
def command(
    settings: Settings, tool: str, wanted: str, output: Path | None, done: bool, as_json: bool
) -> int:
    """Open a tree in which you mend the packaging of TOOL's release, where it does not fit.

    Patches are applied with quilt up to the first that does not apply. What you change below
    debian/ is taken with --done: it is kept beside the tool, holds for this release and those
    after it, and goes into the package at the next sync. The packaging itself stays as it came.

    toolsync workspace less, then there: quilt push -f, edit, quilt refresh

    toolsync workspace less --done takes it
    """
    from toolsync.pipeline.workspace import close_workspace, default_place, open_workspace

    place = output.absolute() if output else None
    with opened(settings, lock="workspace") as context:
        chosen = chosen_tool(context.config, tool)
        if done:
            mended = close_workspace(context, chosen, place, wanted)
            if as_json:
                render.as_json({**dump(mended), "folder": str(chosen.mended)})
                return FINE
            names = [*mended.files, *(f"{n} (removed)" for n in mended.removed)]
            names += ["patches"] if mended.patches else []
            say(f"{chosen.name}: mended for {mended.version}: {', '.join(names)}")
            say(f"  kept in {chosen.mended}\n  → toolsync sync {chosen.name}")
            return FINE
        found = open_workspace(context, chosen, place, wanted)
        place = place or default_place(chosen, found.version)
    if as_json:
        render.as_json({**dump(found), "folder": str(place.absolute())})
        return FINE
    say(f"{found.tool} {found.version} is in {place}, with {found.applied} patches applied")
    for patch in found.conflicts:
        say(f"  does not apply: {patch}")
    how = "quilt push -f; edit; quilt refresh; quilt push -a" if found.conflicts else "edit debian/"
    say(f"  → cd {place}; {how}\n  → toolsync workspace {found.tool} --done")
    return FINE
