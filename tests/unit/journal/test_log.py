"""The log: it grows and never changes."""

from __future__ import annotations

import pytest

from toolsync.journal.journal import Journal
from toolsync.journal.key import Key
from toolsync.model.errors import SetupError

FETCH = Key(tool="t", version="1.0", stage="fetch")


def test_it_cannot_be_changed(journal: Journal) -> None:
    journal.log.add(FETCH, "later", "no network")
    for statement in ("DELETE FROM log", "UPDATE log SET message = 'all was well'"):
        with pytest.raises(SetupError, match="the log is append-only"):
            journal.database.write(statement)
    assert [entry.message for entry in journal.log.of("t")] == ["no network"]


def test_the_last_lines_come_oldest_first(journal: Journal) -> None:
    for number in range(5):
        journal.log.add(FETCH, "later", str(number))
    assert [entry.message for entry in journal.log.of("t", 2)] == ["3", "4"]
    assert journal.log.of("another") == []
