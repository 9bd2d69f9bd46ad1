"""``toolsync promote``."""

from __future__ import annotations

import click

from toolsync.cli.session import Settings, chosen_tool, opened, say
from toolsync.model.errors import FINE, UsageError


@click.command("promote")
@click.argument("tool")
@click.argument("version")
@click.option("--from", "origin", required=True, metavar="ppa:OWNER/NAME", help="Where it is.")
@click.option("--to", "target", required=True, metavar="ppa:OWNER/NAME", help="Where it goes.")
@click.option("--early", is_flag=True, help="Though it has not been there for its time.")
@click.option("--untested", is_flag=True, help="Though no test of it was run here.")
@click.pass_obj
def command(
    settings: Settings,
    tool: str,
    version: str,
    origin: str,
    target: str,
    early: bool,
    untested: bool,
) -> int:
    """Copy a release from a staging PPA to the stable one, with its binaries, in all its series.

    Run it again to see how far the copy has come; nothing is copied twice.
    """
    from toolsync.pipeline.promote import promote_version

    for name in (origin, target):
        if not name.startswith("ppa:"):
            raise UsageError(f"{name} is no PPA, wanted: ppa:OWNER/NAME")
    with opened(settings, lock="promote", target=target) as context:
        chosen = chosen_tool(context.config, tool)
        done = promote_version(context, chosen, version, origin, untested=untested, early=early)
    say(f"{tool} {version} is served by {target}: {', '.join(done)}")
    return FINE
