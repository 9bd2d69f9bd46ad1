"""Copy all that a journal remembers into another database, row by row."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice

from toolsync.journal.database import Database
from toolsync.journal.rows import Row
from toolsync.model.errors import SetupError

NUL = "\N{SYMBOL FOR NULL}"
"""What stands for a NUL in a database whose texts cannot hold one."""
_ROWS = 1000
"""Rows that are put in at once."""
_IN_ORDER = ("upload", "letter", "identity")
"""Tables whose rows are read in the order in which they came (``rowid``)."""


def copy_rows(source: Database, target: Database) -> dict[str, int]:
    """Copy every row of ``source``, as of one moment, into ``target``; return counts by table.

    All of it arrives, or nothing. Raises SetupError where the target holds anything already, or
    where it does not hold the same rows afterwards.
    """
    tables = source.tables()
    _require_room(target, tables)
    with source.snapshot(), target.filling():
        counts = {place: _copied(source, target, place, names) for place, names in tables.items()}
        if digests(source) != digests(target):
            raise SetupError("the copy of the journal is not what was copied; nothing was kept")
    return counts


def digests(database: Database) -> dict[str, str]:
    """Return a digest over all rows of each table, in an order that all databases know."""
    return {place: _digest(database, place, names) for place, names in database.tables().items()}


def _require_room(target: Database, tables: Mapping[str, tuple[str, ...]]) -> None:
    if target.tables() != tables:
        raise SetupError(
            "the two journals have not the same tables",
            resolution="Open both with this version of toolsync first.",
        )
    held = [place for place in target.tables() if target.all(f"SELECT 1 FROM {place} LIMIT 1")]  # noqa: S608 (our own names)
    if held:
        raise SetupError(
            f"the journal that is to be copied to holds something already: {', '.join(held)}",
            resolution="Copy into a new file, or an empty database.",
        )


def _copied(source: Database, target: Database, place: str, names: Sequence[str]) -> int:
    listed, marks = ", ".join(f'"{name}"' for name in names), ", ".join("?" * len(names))
    put = f"INSERT INTO {place} ({listed}) VALUES ({marks})"  # noqa: S608 (our own names)
    rows, count = _read(source, place, names), 0
    while some := [tuple(row.columns[name] for name in names) for row in islice(rows, _ROWS)]:
        target.execute_many(put, some)
        count += len(some)
    return count


def _digest(database: Database, place: str, names: Sequence[str]) -> str:
    found = hashlib.sha256()
    for row in _read(database, place, names):
        # PostgreSQL has no NUL in texts: postgres.py writes the symbol for it.
        held = [v.replace("\0", NUL) if isinstance(v, str) else v for v in row.columns.values()]
        found.update(json.dumps(held).encode() + b"\n")
    return found.hexdigest()


def _read(database: Database, place: str, names: Sequence[str]) -> Iterator[Row]:
    """Give all rows of a table, in their order, else by all columns."""
    listed = ", ".join(f'"{name}"' for name in names)
    order = "rowid" if place in _IN_ORDER else listed
    return database.each(f"SELECT {listed} FROM {place} ORDER BY {order}")  # noqa: S608 (our own names)
