"""A journal is known by an id and a serial, and a blank one by having nothing to tell."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

from toolsync.journal.journal import Journal
from toolsync.system.clock import SystemClock


def test_an_id_is_given_once_and_its_serial_rises(journal: Journal) -> None:
    assert journal.identity.stamp() is None
    first = journal.identity.introduce()
    assert (len(first.id), first.serial) == (32, 0)
    assert journal.identity.introduce() == first
    later = journal.identity.raise_serial()
    assert (later.id, later.serial) == (first.id, 1)


def test_a_journal_is_blank_until_it_knows_something(place: Path | str) -> None:
    with closing(Journal.open(place, SystemClock())) as journal:
        journal.identity.introduce()
        assert journal.identity.is_blank()
        journal.releases.see("t", "1.0", {})
        assert not journal.identity.is_blank()
