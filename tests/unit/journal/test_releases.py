"""Releases: seen once, and accepted under one digest for ever."""

from __future__ import annotations

from datetime import timedelta

from tests.support.clock import TODAY, DrivenClock
from toolsync.journal.journal import Journal
from toolsync.system.clock import stamp


def test_the_first_accepted_digest_stays(journal: Journal) -> None:
    assert journal.releases.accepted("t", "1.0") == ""
    journal.releases.accept("t", "1.0", "a" * 64)
    journal.releases.accept("t", "1.0", "b" * 64)
    assert journal.releases.accepted("t", "1.0") == "a" * 64
    assert journal.releases.accepted("t", "9") == ""


def test_a_release_is_news_once_and_keeps_its_first_day(
    journal: Journal, clock: DrivenClock
) -> None:
    clock.moment += timedelta(days=1)
    assert not journal.releases.see("t", "1.0", {"url": "u"})
    assert journal.releases.see("t", "1.1", {})
    first, second = journal.releases.of("t")
    assert (first.version, first.data, first.seen) == ("1.0", {"url": "u"}, stamp(TODAY))
    assert (second.version, second.sha256, second.accepted) == ("1.1", "", "")
