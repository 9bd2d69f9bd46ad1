"""The log: it grows and never changes."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from toolsync.journal.journal import Journal
from toolsync.journal.key import Key

FETCH = Key(tool="t", version="1.0", stage="fetch")


def test_it_cannot_be_changed(journal: Journal, path: Path) -> None:
    journal.log.add(FETCH, "later", "no network")
    with closing(sqlite3.connect(path)) as other:
        for statement in ("DELETE FROM log", "UPDATE log SET message = 'all was well'"):
            with pytest.raises(sqlite3.DatabaseError, match="append-only"):
                other.execute(statement)
    assert [entry.message for entry in journal.log.of("t")] == ["no network"]


def test_the_last_lines_come_oldest_first(journal: Journal) -> None:
    for number in range(5):
        journal.log.add(FETCH, "later", str(number))
    assert [entry.message for entry in journal.log.of("t", 2)] == ["3", "4"]
    assert journal.log.of("another") == []
