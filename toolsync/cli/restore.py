"""``toolsync restore``."""

from __future__ import annotations

from pathlib import Path

import click

from toolsync.cli import render
from toolsync.cli.session import Settings, say
from toolsync.errors import FINE
from toolsync.values import dump


@click.command("restore")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, exists=True))
@click.option("--json", "as_json", is_flag=True, help="Print an object.")
@click.pass_obj
def command(settings: Settings, file: Path, as_json: bool) -> int:
    """Put a backup into the state folder, which must be empty: all of it, or nothing.

    Every file is compared with the digest that the backup states.
    """
    from toolsync.backup import restore_backup

    config = settings.load()
    found = restore_backup(file, config.state)
    if as_json:
        render.as_json(dump(found))
    else:
        say(f"{config.state}: {found.files} files, {found.size:,} bytes, as of {found.made}")
    return FINE
