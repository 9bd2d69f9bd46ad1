"""``toolsync backup``."""

from __future__ import annotations

from pathlib import Path

import click

from toolsync.cli import render
from toolsync.cli.session import Settings, opened, say
from toolsync.errors import FINE
from toolsync.values import dump


@click.command("backup")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--json", "as_json", is_flag=True, help="Print an object.")
@click.pass_obj
def command(settings: Settings, file: Path, as_json: bool) -> int:
    """Write journal, keys, archive and store into FILE, which must not be there yet.

    It holds secret keys, and only you may read it: keep it that way.
    """
    from toolsync.backup import write_backup

    with opened(settings, lock="backup") as bench:
        made = write_backup(bench, file.absolute())
    if as_json:
        render.as_json(dump(made))
    else:
        say(f"{file}: {made.files} files, {made.size:,} bytes")
    return FINE
