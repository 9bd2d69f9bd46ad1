"""A clock that was ahead: what it wrote is dated now, and the log says so."""

from __future__ import annotations

from datetime import timedelta

from tests.support.clock import TODAY, DrivenClock
from toolsync.journal.journal import Journal
from toolsync.model.release import Outcome
from toolsync.system.clock import stamp

YEAR = timedelta(days=366)


def test_what_lies_in_the_future_is_dated_now(journal: Journal, clock: DrivenClock) -> None:
    assert journal.redate() == ""
    clock.moment = TODAY + YEAR
    held = Outcome(tool="t", status="held", current=None, newest="1.0", url="u", message="no")
    journal.statuses.keep([held])
    clock.moment = TODAY + timedelta(hours=1)
    assert journal.redate() == stamp(TODAY + YEAR)
    assert journal.statuses.all()["t"].since == stamp(clock.moment)
    assert [entry.event for entry in journal.log.of("")] == ["clock"]
    assert journal.redate() == ""


def test_a_clock_that_was_set_right_by_minutes_is_no_matter(
    journal: Journal, clock: DrivenClock
) -> None:
    clock.moment = TODAY + timedelta(minutes=4)
    held = Outcome(tool="t", status="held", current=None, newest="1.0", url="u", message="no")
    journal.statuses.keep([held])
    clock.moment = TODAY
    assert journal.redate() == ""
