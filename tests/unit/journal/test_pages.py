"""Pages: the last answer that could be read stays, whatever came after."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from tests.support.clock import TODAY, DrivenClock
from toolsync.journal.journal import Journal
from toolsync.journal.pages import Looked
from toolsync.model.errors import SetupError
from toolsync.system.clock import stamp

LOOK = Looked(tool="t", definition="d", sighting={"a": 1}, answered=True, status="answered")
DAY = timedelta(days=1)


def test_a_failure_keeps_the_last_sighting(journal: Journal, clock: DrivenClock) -> None:
    journal.pages.remember([LOOK])
    clock.moment += DAY
    down = replace(LOOK, sighting=None, answered=False, status="unreachable", message="down")
    journal.pages.remember([down])
    row = journal.pages.of("t")
    assert row is not None
    assert (row.sighting, row.status, row.message) == ({"a": 1}, "unreachable", "down")
    assert (row.looked, row.answered) == (stamp(TODAY + DAY), stamp(TODAY))
    assert journal.pages.last_looks() == {"t": replace(row, sighting={})}
    assert journal.pages.last_look("t") == replace(row, sighting={})


def test_what_lasts_is_the_same_after_a_look_that_gives_the_same(
    journal: Journal, clock: DrivenClock
) -> None:
    assert journal.pages.lasting("t") is None
    journal.pages.remember([LOOK])
    before = journal.pages.lasting("t")
    clock.moment += DAY
    journal.pages.remember([replace(LOOK, sighting=None)])
    row = journal.pages.of("t")
    assert row is not None
    assert row.answered == stamp(TODAY + DAY)
    assert journal.pages.lasting("t") == before == replace(row, looked="", answered="")
    journal.pages.remember([replace(LOOK, sighting=None, answered=False, status="unreachable")])
    gone = journal.pages.lasting("t")
    assert gone is not None
    assert (gone.status, gone.answered) == ("unreachable", stamp(TODAY + DAY))


def test_another_definition_is_another_page(journal: Journal) -> None:
    journal.pages.remember([LOOK])
    journal.pages.remember([replace(LOOK, definition="e", sighting=None, answered=False)])
    row = journal.pages.of("t")
    assert row is not None
    assert (row.sighting, row.answered) == ({}, "")
    assert journal.pages.of("another") is None


def test_looks_are_remembered_together_or_not_at_all(journal: Journal) -> None:
    bad = replace(LOOK, tool="bad", status=None)  # type: ignore[arg-type]
    with pytest.raises(SetupError, match=r"(?i)not.null"):
        journal.pages.remember([LOOK, bad])
    assert journal.pages.last_looks() == {}


def test_a_version_appeared_when_its_page_says_but_not_before_the_last_look(
    journal: Journal, clock: DrivenClock
) -> None:
    journal.pages.remember([replace(LOOK, named=(("1.0", "2010-01-01T00:00:00Z"), ("0.9", "")))])
    clock.moment += DAY
    back, ahead = ("1.1", "2010-01-01T00:00:00Z"), ("1.2", "2100-01-01T00:00:00Z")
    journal.pages.remember([replace(LOOK, named=(back, ahead, ("1.0", "")))])
    assert journal.pages.first_seen("t") == {
        "1.0": "2010-01-01T00:00:00Z",
        "0.9": stamp(TODAY),
        "1.1": stamp(TODAY),
        "1.2": stamp(TODAY + DAY),
    }
