"""``toolsync series``."""

from __future__ import annotations

from pathlib import Path

import click

from toolsync.cli import render
from toolsync.cli.session import Settings, say
from toolsync.model.errors import FINE, UsageError


@click.group("series", invoke_without_command=True)
@click.option("--target", metavar="TARGET", help="local, or ppa:OWNER/NAME.")
@click.option("--json", "as_json", is_flag=True, help="Print an object.")
@click.pass_context
def command(ctx: click.Context, target: str | None, as_json: bool) -> int:
    """Show which series are served, and which supported ones could be too."""
    from toolsync.system.clock import SystemClock
    from toolsync.system.distro import supported as released

    settings: Settings = ctx.obj
    config = settings.load_as_owner()
    config = config.for_target(target or config.target)
    ctx.obj = config
    if ctx.invoked_subcommand:
        return FINE
    distribution = config.distribution
    alive = released(distribution, SystemClock().now().date())
    ended = [name for name in config.series if name not in alive]
    others = [name for name in alive if name not in config.series]
    if as_json:
        render.as_json({"served": list(config.series), "ended": ended, "proposed": others})
        return FINE
    say(f"served: {', '.join(config.series) or 'none'}")
    if ended:
        say(f"no longer supported by {distribution}, or not of it: {', '.join(ended)}")
    if others:
        how = (
            "toolsync series adopt NAME" if config.follows else f"add to `series` in {config.file}"
        )
        say(f"supported by {distribution} too: {', '.join(others)} ({how})")
    return FINE


@command.command("adopt")
@click.argument("names", nargs=-1, required=True, metavar="NAME...")
@click.pass_context
def adopt(ctx: click.Context, names: tuple[str, ...]) -> int:
    """Serve a new series from the next run on; for `series = "supported"`."""
    from toolsync.config import supported
    from toolsync.system.clock import SystemClock

    config = ctx.obj
    if not config.follows:
        raise UsageError(
            f"{config.file} names its series itself",
            resolution='Add it to `series` there, or write series = "supported".',
        )
    distribution = config.distribution
    supported.adopt(config.state, distribution, names, SystemClock().now().date())
    say(f"adopted: {', '.join(names)}")
    return FINE


@command.command("keyring")
@click.argument("series")
@click.option(
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Where the keyring is written; /etc/apt/keyrings/ is looked into by every build.",
)
@click.option("--mirror", metavar="URL", help="A mirror of the distribution.")
@click.pass_context
def keyring(ctx: click.Context, series: str, output: Path | None, mirror: str | None) -> int:
    r"""Bring the keys by which the packages of SERIES are trusted to this machine.

    Debian has no package of Ubuntu's keys. They are taken from Ubuntu's own package, and are
    trusted because their fingerprints are known to toolsync.

    \b
    Example:
      sudo toolsync series keyring noble
    """
    from toolsync.build.chroot import default_mirror
    from toolsync.build.keyrings import KEYRINGS, PLACE_OF_ONES_OWN, fetch_keyring
    from toolsync.config.series import series_tag
    from toolsync.system.store import replace_file
    from toolsync.system.work import Workshop

    distribution, _ = series_tag(series)
    path = output or PLACE_OF_ONES_OWN / KEYRINGS[distribution].file
    with Workshop(ctx.obj.state, ctx.obj.build.work).folder("keyring") as folder:
        keys = fetch_keyring(series, mirror or default_mirror(distribution), folder)
    path.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
    replace_file(path, keys)
    path.chmod(0o644)
    say(f"the keys of {distribution} are in {path}")
    return FINE
