"""``toolsync key``."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from toolsync.cli import render
from toolsync.cli.session import Settings, opened, say
from toolsync.model.errors import FINE, SETUP, UsageError

if TYPE_CHECKING:
    from toolsync.pipeline.context import Context


@click.group("key")
def command() -> None:
    """Show, rotate, export or extend the key that signs the archive.

    Its fingerprint is promised in the state and in the archive. Another key never takes its place
    unless it is announced by rotate.
    """


@command.command("show")
@click.option("--json", "as_json", is_flag=True, help="Print a list of objects.")
@click.pass_obj
def show(settings: Settings, as_json: bool) -> int:
    """Show all keys that were ever promised: which sign, until when, and which are lost."""
    with opened(settings, target="local") as context:
        return _show(context, as_json)


def _show(context: Context, as_json: bool) -> int:
    from toolsync.maintain.keylife import key_rows
    from toolsync.model.values import dump

    rows = key_rows(context.config, context.workshop, context.clock)
    if as_json:
        render.as_json([dump(row) for row in rows])
    for row in () if as_json else rows:
        until = f"until {row.ends[:10]}" if row.ends else "without an end"
        say(f"{row.fingerprint}  {row.state}, since {row.since[:10]}, {until}")
    if not rows and not as_json:
        say("nothing was signed yet: the first toolsync sync makes the archive and its key")
    return SETUP if any(row.state in ("lost", "dead") for row in rows) else FINE


@command.command("rotate")
@click.option(
    "--overlap",
    type=click.IntRange(0, 3650),
    default=90,
    show_default=True,
    help="Days for which both keys sign.",
)
@click.option("--json", "as_json", is_flag=True, help="Print a list of objects.")
@click.pass_obj
def rotate(settings: Settings, overlap: int, as_json: bool) -> int:
    """Announce a new key: both sign for some days, then the old one ends.

    Instances that upgrade toolsync-archive-keyring meanwhile need nothing else. A key that is lost
    ends at once, and every instance needs the stanza that toolsync archive sources prints then.
    Killed, it is to be run again; while both keys sign it does nothing more.
    """
    from toolsync.maintain.keylife import rotate as rotated

    with opened(settings, lock="key", target="local") as context:
        if not rotated(context, timedelta(days=overlap)):
            say("announced already: nothing more is done before the old key has ended", err=True)
        return _show(context, as_json)


@command.command("extend")
@click.option("--days", type=click.IntRange(1, 36500), help="From today.")
@click.option(
    "--until",
    metavar="YYYY-MM-DD",
    type=click.DateTime(["%Y-%m-%d"]),
    help="A day, at its beginning (UTC).",
)
@click.option("--never", is_flag=True, help="Let it have no end.")
@click.option("--json", "as_json", is_flag=True, help="Print a list of objects.")
@click.pass_obj
def extend(
    settings: Settings, days: int | None, until: datetime | None, never: bool, as_json: bool
) -> int:
    """Let the newest key end at another day, and bring that to instances as a new package."""
    from toolsync.maintain.keylife import extend as extended

    if sum((days is not None, until is not None, never)) != 1:
        raise UsageError(
            "when the key is to end is not said, or is said twice",
            resolution="Give one of --days, --until and --never.",
        )
    with opened(settings, lock="key", target="local") as context:
        now = context.clock.now()
        ends = until.replace(tzinfo=UTC) if until else None
        ends = now + timedelta(days=days) if days else ends
        if ends is not None and ends <= now:
            raise UsageError(f"{ends:%Y-%m-%d} is over", resolution="Name a day to come.")
        extended(context, ends)
        return _show(context, as_json)


@command.command("export")
@click.option(
    "--output",
    "-o",
    metavar="FILE",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Instead of standard output; a name that ends in .asc, as apt wants it.",
)
@click.option(
    "--package", is_flag=True, help="Serve toolsync-archive-keyring from the archive, too."
)
@click.pass_obj
def export(settings: Settings, output: Path | None, package: bool) -> int:
    """Print the public keys that sign now, armored.

    With --package the archive serves them as a package that instances install once and upgrade
    from then on. rotate and extend do so by themselves.
    """
    from toolsync.maintain.keylife import exported, publish_package
    from toolsync.system.store import replace_file

    with opened(settings, lock="key" if package else "", target="local") as context:
        if package:
            publish_package(context)
        text = exported(context)
    if output is None:
        click.echo(text, nl=False)
    else:
        replace_file(output, text.encode())
    return FINE
