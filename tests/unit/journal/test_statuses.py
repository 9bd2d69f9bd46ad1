"""Statuses: since when a tool has the one that it has."""

from __future__ import annotations

from datetime import timedelta

from tests.support.clock import TODAY, DrivenClock
from toolsync.journal.journal import Journal
from toolsync.model.release import Outcome
from toolsync.system.clock import stamp


def outcome(status: str, message: str = "so it is", current: str | None = None) -> Outcome:
    return Outcome(tool="t", status=status, current=current, newest="1.0", url="u", message=message)


def test_since_stays_while_the_status_does(journal: Journal, clock: DrivenClock) -> None:
    journal.statuses.keep([outcome("held")])
    clock.moment += timedelta(days=1)
    journal.statuses.keep([outcome("held", "for another reason")])
    last = journal.statuses.all()["t"]
    assert (last.since, last.message) == (stamp(TODAY), "for another reason")
    journal.statuses.keep([outcome("up-to-date")])
    assert journal.statuses.all()["t"].since == stamp(clock.moment)


def test_what_is_not_published_waits_since_its_own_date(journal: Journal) -> None:
    journal.statuses.keep([outcome("held")])
    assert journal.statuses.waiting() == {"t": "2026-11-20T12:00:00Z"}
    journal.releases.see("t", "1.0", {"published": ""})
    assert journal.statuses.waiting() == {"t": stamp(TODAY)}
    journal.statuses.keep([outcome("up-to-date", current="1.0")])
    assert journal.statuses.waiting() == {}
