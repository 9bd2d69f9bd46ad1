"""``toolsync archive``."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING

import click

from toolsync.cli.session import Settings, chosen_tools, opened, say, tool_names
from toolsync.model.errors import FINE, UsageError

if TYPE_CHECKING:
    from toolsync.config.definition import Tool
    from toolsync.config.settings import Config
    from toolsync.publish.target import Target


@click.group("archive")
def command() -> None:
    """Tell how to install from the archive or a PPA, or repair the archive."""


@command.command("sources")
@click.option("--series", help="For which series; the first configured one if not given.")
@click.option("--url", help="The address under which instances see the archive.")
@click.option("--target", metavar="TARGET", help="local, or ppa:OWNER/NAME.")
@click.option(
    "--at",
    type=click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M:%SZ"]),
    help="Stay with what was served at this moment, in UTC; a day means its end.",
)
@click.pass_obj
def sources(
    settings: Settings,
    series: str | None,
    url: str | None,
    target: str | None,
    at: datetime | None,
) -> int:
    r"""Print the deb822 stanza with which an instance installs from the archive.

    Put it into /etc/apt/sources.list.d/toolsync.sources; it carries the archive's key.
    Its last line is a comment: the command that installs what is there.

    \b
      toolsync archive sources --series noble
      toolsync archive sources --at 2026-11-20T08:00   as it was then, for as long as
                                                       [local] snapshot_days keeps it
    """
    from toolsync.pipeline.outcome import is_served
    from toolsync.setup.tools import load_tools

    with opened(settings, archive_url=url, target=target) as context:
        wanted = series or context.config.series[0]
        if wanted not in context.config.series:
            raise UsageError(
                f"the archive has no series {wanted}; it has {', '.join(context.config.series)}",
                resolution="Name one of these, or add it to `series` in toolsync.toml.",
            )
        click.echo(_stanza(context.target, wanted, at))
        tools, _ = load_tools(context.config)
        served = [tool for tool in tools if is_served(context, tool, wanted)]
        if served:
            click.echo(f"# {_command(context.config, served, wanted)}")
    return FINE


def _stanza(target: Target, series: str, at: datetime | None) -> str:
    if at is None:
        return target.stanza(series)
    from toolsync.publish.local import LocalArchive

    if not isinstance(target, LocalArchive):
        raise UsageError(
            f"{target.name} keeps no snapshots", resolution="Only the local archive does: [local]."
        )
    whole_day = at.time() == time.min
    moment = (at + timedelta(days=1, seconds=-1) if whole_day else at).replace(tzinfo=UTC)
    return target.stanza_at(series, moment)


@command.command("packages")
@click.argument("tools", shell_complete=tool_names, nargs=-1, metavar="[TOOL|DIR]...")
@click.option("--command", "whole", is_flag=True, help="Print the command that installs them.")
@click.pass_obj
def packages(settings: Settings, tools: tuple[str, ...], whole: bool) -> int:
    """Print the names by which apt installs tools; all tools' if none is named."""
    config = settings.load()
    chosen, _ = chosen_tools(config, tools)
    if whole:
        click.echo(_command(config, chosen, config.series[0]))
    else:
        click.echo(" ".join(_packages(chosen)))
    return FINE


def _packages(tools: Iterable[Tool]) -> list[str]:
    return [name for tool in tools for name in tool.packages]


def _command(config: Config, tools: Iterable[Tool], series: str) -> str:
    from toolsync.config.asking import to_install

    words = to_install(config, _packages(tools), series)
    return f"apt-get update && apt-get install {words}"


@command.command("repair")
@click.option("--json", "as_json", is_flag=True, help="Print an object.")
@click.pass_obj
def repair(settings: Settings, as_json: bool) -> int:
    r"""Rebuild the local archive from the store, where anything of it is damaged.

    \b
    Every file that apt may fetch is looked at first. If one is changed or gone, or
    an index or reprepro's database is, all is made anew beside it of what the
    journal says was published, signed by the promised key, and shown in one step.
    Instances notice nothing but the mended files. Run again it changes nothing;
    killed, it is to be run again.

    \b
      toolsync archive repair          mend what doctor or scrub has told of
      toolsync archive repair --json   the faults, and what it was rebuilt of
    """
    from toolsync.cli import render
    from toolsync.maintain.repair import repair as repaired
    from toolsync.model.values import dump

    with opened(settings, lock="archive repair", target="local") as context:
        done = repaired(context)
    if as_json:
        render.as_json(dump(done))
        return FINE
    for fault in done.faults:
        say(f"{fault.path} {fault.message}")
    for sentence in done.snapshots:
        say(sentence)
    say(
        f"rebuilt of {len(done.packages)} packages"
        if done.faults
        else "nothing else is damaged"
        if done.snapshots
        else "nothing is damaged, and nothing was changed"
    )
    return FINE
