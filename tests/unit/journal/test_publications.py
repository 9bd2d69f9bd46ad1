"""Publications: the first time that each packaging was seen to be served."""

from __future__ import annotations

from datetime import timedelta

from tests.support.clock import TODAY, DrivenClock
from toolsync.journal.journal import Journal
from toolsync.journal.key import Key
from toolsync.system.clock import stamp


def test_each_is_told_once_with_its_first_day(journal: Journal, clock: DrivenClock) -> None:
    key = Key(tool="t", version="1.0", stage="confirm", scope="noble/2@ppa:x/y")
    journal.log.add(key, "held", "not yet")
    journal.log.add(key, "done", "")
    clock.moment += timedelta(days=1)
    journal.log.add(key, "done", "again")
    journal.log.add(Key(tool="t", version="0.9", stage="confirm", scope="a/1@local"), "done", "")
    first, second = journal.publications.all()
    assert (first.tool, first.version, first.at) == ("t", "1.0", stamp(TODAY))
    assert (first.series, first.revision, first.target) == ("noble", "2", "ppa:x/y")
    assert (first.released, first.dated) == ("2026-11-20T12:00:00Z", True)
    assert (second.released, second.dated) == (stamp(clock.moment), False)
    assert second.id > first.id
