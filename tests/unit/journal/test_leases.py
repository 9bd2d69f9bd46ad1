"""Leases: one holder at a time, a number that rises, and an end by the database's clock."""

from __future__ import annotations

import time

from toolsync.journal.journal import Journal
from toolsync.journal.leases import Lease


def taken(journal: Journal, holder: str, seconds: float = 60) -> Lease:
    found = journal.leases.take("tool:t", holder, seconds)
    assert found is not None
    return found


def test_one_holds_it_until_it_is_given_back(journal: Journal) -> None:
    first = taken(journal, "a")
    assert journal.leases.take("tool:t", "b", 60) is None
    assert journal.leases.take("tool:other", "b", 60) is not None
    assert journal.leases.holds(first)
    assert [lease.name for lease in journal.leases.all()] == ["tool:other", "tool:t"]
    journal.leases.give_back(first)
    assert not journal.leases.holds(first)
    second = taken(journal, "b")
    assert second.token > first.token
    journal.leases.give_back(first)  # what is another's stays
    assert journal.leases.holds(second)


def test_one_that_has_ended_is_another_s_and_the_late_one_can_tell(journal: Journal) -> None:
    late = taken(journal, "a", 0.02)
    time.sleep(0.04)
    assert not journal.leases.holds(late)
    assert not journal.leases.renew(late, 60)
    assert journal.leases.all() == []
    now = taken(journal, "b")
    assert not journal.leases.renew(late, 60)
    assert (journal.leases.holds(late), journal.leases.holds(now)) == (False, True)
    assert now.token == late.token + 1


def test_one_that_is_renewed_goes_on(journal: Journal) -> None:
    lease = taken(journal, "a", 0.3)
    assert journal.leases.renew(lease, 60)
    time.sleep(0.35)
    assert journal.leases.holds(lease)
    assert journal.leases.take("tool:t", "b", 60) is None


def test_a_moment_is_now(journal: Journal) -> None:
    assert abs(journal.database.moment() / 1000 - time.time()) < 5
