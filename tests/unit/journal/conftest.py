"""An open journal under a clock that a test drives."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.clock import DrivenClock
from toolsync.journal.journal import Journal
from toolsync.model.judgment import Judgment


@pytest.fixture
def clock() -> DrivenClock:
    return DrivenClock()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return where the journal lies."""
    return tmp_path / "journal.sqlite"


@pytest.fixture
def journal(path: Path, clock: DrivenClock) -> Iterator[Journal]:
    """Return a journal that knows of release 1.0 of tool t."""
    found = Journal.open(path, clock)
    found.releases.see("t", "1.0", {"published": "2026-11-20T12:00:00Z"})
    yield found
    found.close()


@pytest.fixture
def said() -> Judgment:
    """Return what a gate said that needs a person."""
    return Judgment(stage="license", verdict="review", summary="s", findings=(), subject="0")
