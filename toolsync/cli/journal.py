"""``toolsync journal``."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import click

from toolsync.cli import render
from toolsync.cli.session import Settings, say
from toolsync.model.errors import FINE, UsageError
from toolsync.system.lock import exclusive
from toolsync.system.underway import step


@click.group("journal")
def command() -> None:
    """Copy the journal into another database."""


@command.command("copy")
@click.argument("target")
@click.option("--from", "source", help="The journal to copy, if not the one of the set-up.")
@click.option("--json", "as_json", is_flag=True, help="Print an object.")
@click.pass_obj
def copy(settings: Settings, target: str, source: str | None, as_json: bool) -> int:
    """Copy all that the journal remembers into TARGET, which must be empty.

    TARGET and --from are files of SQLite's, or addresses as in [journal] url. All of it arrives, or
    nothing: a digest over all rows of each table is compared. Afterwards name the new journal in
    toolsync.toml, and put the old one away.
    """
    from toolsync.journal.copying import copy_rows
    from toolsync.journal.journal import opened

    config = settings.load_as_owner()
    found = _place(source) if source else config.journal
    if isinstance(found, Path) and not found.is_file():
        raise UsageError(f"there is no journal {found}", resolution="Name one with --from.")
    if (to := _place(target)) == found:
        raise UsageError("that is the journal itself", resolution="Name another one.")
    with (
        exclusive(config.state, "journal copy"),
        step("journal copy"),
        closing(opened(found)) as old,
        closing(opened(to)) as new,
    ):
        counts = copy_rows(old, new)
    if as_json:
        render.as_json({"version": 1, "rows": counts})
    else:
        say(f"{sum(counts.values()):,} rows of {len(counts)} tables, compared by digests")
    return FINE


def _place(text: str) -> Path | str:
    """Return a file's path, or an address as it is."""
    return text if "://" in text else Path(text).expanduser().absolute()
