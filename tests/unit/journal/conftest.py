"""An open journal in either database, under a clock that a test drives."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.servers.postgres import Postgres, postgres, require_psycopg
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


@pytest.fixture(scope="session")
def server() -> Iterator[Postgres]:
    """Return a PostgreSQL server."""
    require_psycopg()
    with postgres() as found:
        yield found


@pytest.fixture(params=["sqlite", "postgres"])
def place(request: pytest.FixtureRequest, path: Path) -> Path | str:
    """Return where a journal lies: SQLite's file, and in another test PostgreSQL's address."""
    if request.param == "sqlite":
        return path
    found: str = request.getfixturevalue("server").fresh()
    return found


@pytest.fixture
def journal(place: Path | str, clock: DrivenClock) -> Iterator[Journal]:
    """Return a journal that knows of release 1.0 of tool t."""
    found = Journal.open(place, clock)
    found.releases.see("t", "1.0", {"published": "2026-11-20T12:00:00Z"})
    yield found
    found.close()


@pytest.fixture
def said() -> Judgment:
    """Return what a gate said that needs a person."""
    return Judgment(stage="license", verdict="review", summary="s", findings=(), subject="0")
