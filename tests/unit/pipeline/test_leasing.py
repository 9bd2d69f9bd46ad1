"""Leasing: renewed while held, waited for, and what comes too late is refused."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from toolsync.journal.journal import Journal
from toolsync.model.errors import Busy
from toolsync.pipeline.leasing import Leasing
from toolsync.system import fence
from toolsync.system.clock import SystemClock

CLOCK = SystemClock()


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    with closing(Journal.open(tmp_path / "journal.sqlite", CLOCK)) as found:
        yield found


def test_what_is_held_is_renewed_and_another_goes_without(journal: Journal) -> None:
    one, other = (Leasing(journal.leases, CLOCK, 0.3) for _ in range(2))
    with closing(one), closing(other), one.having("tool:t") as mine:
        assert mine
        time.sleep(0.7)
        fence.require()
        with other.having("tool:t") as theirs:
            assert not theirs
    with closing(other), other.having("tool:t") as theirs:
        assert theirs


def test_who_has_lost_it_is_refused_and_leaves_the_other_alone(journal: Journal) -> None:
    late, other = (Leasing(journal.leases, CLOCK, 0.3) for _ in range(2))
    late.close()  # nothing renews: as if it was suspended
    with late.having("archive:local"):
        fence.require()
        time.sleep(0.4)
        with closing(other):
            threading.Thread(target=hold, args=(other, 0.5)).start()
            time.sleep(0.1)
            with pytest.raises(Busy, match=r"archive:local is no longer ours: .* has it"):
                fence.require()
            time.sleep(0.6)


def hold(leasing: Leasing, seconds: float) -> None:
    with leasing.waiting_for("archive:local"):
        time.sleep(seconds)


def test_another_is_waited_for(journal: Journal) -> None:
    one, other = (Leasing(journal.leases, CLOCK, 3) for _ in range(2))
    with closing(one), closing(other):
        thread = threading.Thread(target=hold, args=(one, 0.3))
        thread.start()
        time.sleep(0.1)
        began = time.monotonic()
        with other.waiting_for("archive:local"):
            assert time.monotonic() - began > 0.1
        thread.join()
