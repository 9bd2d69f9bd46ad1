"""``toolsync archive``."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import click

from toolsync.cli.session import Settings, chosen_tools, opened, tool_names
from toolsync.model.errors import FINE, UsageError

if TYPE_CHECKING:
    from toolsync.config.definition import Tool


@click.group("archive")
def command() -> None:
    """Tell how to install from the archive, or from a PPA."""


@command.command("sources")
@click.option("--series", help="For which series; the first configured one if not given.")
@click.option("--url", help="The address under which instances see the archive.")
@click.option("--target", metavar="TARGET", help="local, or ppa:OWNER/NAME.")
@click.pass_obj
def sources(settings: Settings, series: str | None, url: str | None, target: str | None) -> int:
    """Print the deb822 stanza with which an instance installs from the archive.

    Put it into /etc/apt/sources.list.d/toolsync.sources; it carries the archive's key. Its last
    line is a comment: the command that installs what is there.
    """
    from toolsync.pipeline.survey import is_served
    from toolsync.setup.tools import load_tools

    with opened(settings, archive_url=url, target=target) as context:
        wanted = series or context.config.series[0]
        if wanted not in context.config.series:
            raise UsageError(
                f"the archive has no series {wanted}; it has {', '.join(context.config.series)}",
                resolution="Name one of these, or add it to `series` in toolsync.toml.",
            )
        click.echo(context.target.stanza(wanted))
        tools, _ = load_tools(context.config)
        served = [tool for tool in tools if is_served(context, tool, wanted)]
        if served:
            click.echo(f"# apt-get update && apt-get install {_names(served)}")
    return FINE


@command.command("packages")
@click.argument("tools", shell_complete=tool_names, nargs=-1, metavar="[TOOL|DIR]...")
@click.pass_obj
def packages(settings: Settings, tools: tuple[str, ...]) -> int:
    """Print the names by which apt installs tools; all tools' if none is named."""
    chosen, _ = chosen_tools(settings.load(), tools)
    click.echo(_names(chosen))
    return FINE


def _names(tools: Iterable[Tool]) -> str:
    return " ".join(name for tool in tools for name in tool.packages)
