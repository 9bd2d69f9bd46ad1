"""``toolsync restore``."""

from __future__ import annotations

from typing import IO

import click

from toolsync.cli import render
from toolsync.cli.session import Settings, say
from toolsync.model.errors import FINE, SETUP
from toolsync.model.values import dump


@click.command("restore")
@click.argument("file", type=click.File("rb"))
@click.option("--json", "as_json", is_flag=True, help="Print an object.")
@click.pass_obj
def command(settings: Settings, file: IO[bytes], as_json: bool) -> int:
    """Put a backup into the state folder, which must be empty: all of it, or nothing.

    Every file is compared with the digest that the backup states, and of the store with that by
    which it is named: exit status 5 where one was damaged before. An archive that lies elsewhere
    ([local] path) goes there, into an empty folder too. With - for FILE the backup is read from
    standard input. One that was killed is to be run again. No mode is taken from the backup: keys,
    journal and store are their owner's alone from their first byte on, the archive is for all.
    """
    from toolsync.maintain.restore import restore_backup

    # FILE is open already: root can restore what the state's owner may not read.
    config = settings.load_as_owner()
    found = restore_backup(file, file.name, config.state, config.archive, config.public)
    if as_json:
        render.as_json(dump(found))
    else:
        say(f"{config.state}: {found.files} files, {found.size:,} bytes, as of {found.made}")
    for name in found.damaged:
        say(f"{name} was damaged when the backup was made, and was put aside", err=True)
    if found.damaged:
        say(
            "  → toolsync scrub gets it anew where it can be had, or take an older backup", err=True
        )
    return SETUP if found.damaged else FINE
