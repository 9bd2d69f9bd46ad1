"""``toolsync archive``."""

from __future__ import annotations

import click

from toolsync.cli.session import Settings, opened
from toolsync.model.errors import FINE, UsageError


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

    Put it into /etc/apt/sources.list.d/toolsync.sources; it carries the archive's key.
    """
    with opened(settings, archive_url=url, target=target) as context:
        wanted = series or context.config.series[0]
        if wanted not in context.config.series:
            raise UsageError(
                f"the archive has no series {wanted}; it has {', '.join(context.config.series)}",
                resolution="Name one of these, or add it to `series` in toolsync.toml.",
            )
        click.echo(context.target.stanza(wanted))
    return FINE
