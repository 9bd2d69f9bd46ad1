"""``toolsync backup``."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import click

from toolsync.cli import render
from toolsync.cli.session import Settings, opened, say
from toolsync.model.errors import FINE, UsageError
from toolsync.model.values import dump
from toolsync.system.underway import step


@click.command("backup")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, allow_dash=True))
@click.option("--json", "as_json", is_flag=True, help="Print an object.")
@click.pass_obj
def command(settings: Settings, file: Path, as_json: bool) -> int:
    """Write journal, keys, archive and store into FILE, which must not be there yet.

    It holds secret keys, and only you may read it: keep it that way. With - for FILE it is written
    to standard output, to be encrypted or sent elsewhere on the way. Root works as the state's
    owner, who may not be allowed to write where root is: use - there, too.
    """
    from toolsync.maintain.backup import send_backup, write_backup

    if str(file) == "-":
        if as_json or sys.stdout.isatty():
            raise UsageError(
                "standard output is where the backup itself goes",
                resolution="Send it on: toolsync backup - | … , without --json.",
            )
        with opened(settings, lock="backup") as context:
            with tempfile.TemporaryDirectory(dir=context.store.scratch()) as scratch:
                made = send_backup(context, sys.stdout.buffer, Path(scratch))
            sys.stdout.buffer.flush()
        say(f"{made.files} files, {made.size:,} bytes", err=True)
        return FINE
    target = file.absolute()
    with opened(settings, lock="backup") as context, step("backup"):
        made = write_backup(context, target)
    if as_json:
        render.as_json(dump(made))
    else:
        say(f"{file}: {made.files} files, {made.size:,} bytes")
    return FINE
