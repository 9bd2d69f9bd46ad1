"""Copies: every row arrives, in order, and no trigger adds to it; or nothing is copied."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from tests.support.clock import DrivenClock
from toolsync.journal.copying import copy_rows, digests
from toolsync.journal.database import Database
from toolsync.journal.journal import Journal, opened
from toolsync.journal.key import Key
from toolsync.model.errors import SetupError
from toolsync.model.judgment import Judgment
from toolsync.model.values import Blob

Fresh = Callable[[str], Path | str]


@pytest.fixture
def fresh(tmp_path: Path, request: pytest.FixtureRequest) -> Fresh:
    """Return a function that gives a place for an empty journal of a kind."""

    def place(kind: str) -> Path | str:
        if kind == "sqlite":
            return tmp_path / "copy.sqlite"
        found: str = request.getfixturevalue("server").fresh()
        return found

    return place


def digested(database: Database) -> dict[str, str]:
    with database.snapshot():
        return digests(database)


def fill(journal: Journal, said: Judgment) -> None:
    """Put something into every table."""
    key = Key(tool="t", version="1.0", stage="fetch")
    upload: dict[str, object] = {
        "target": "local",
        "source": "t",
        "tool": "t",
        "upstream": "1.0",
        "content": "c",
        "series": "bookworm",
        "revision": 1,
        "dsc": "d",
    }
    for version in ("2", "10", "1"):  # in an order that no column has
        journal.uploads.claim({**upload, "version": version})
    journal.results.record(key, inputs="i", outcome="done", started="", message='Grüße \\ "?%"')
    journal.decisions.add(key, said, verdict="approved", who="w", reason="r")
    journal.judgments.keep(key, "i", said)
    for name in ("b", 'ü\n"\\'):
        journal.evidence.keep("t", "1.0", Blob(name=name, sha256="a" * 64, size=7), "p")
    for name in ("z", "a"):
        journal.messages.tell("c", {"tool:t": name}, name, {})
    journal.runs.end(journal.runs.begin(), 0)
    journal.identity.introduce()
    journal.followed.rename("t", "u")


@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
def test_every_row_arrives_in_either_database(
    journal: Journal, fresh: Fresh, kind: str, said: Judgment, clock: DrivenClock
) -> None:
    fill(journal, said)
    with closing(opened(fresh(kind))) as copy:
        counts = copy_rows(journal.database, copy)
        assert digested(copy) == digested(journal.database)
        assert (counts["leaf"], counts["upload"], counts["log"]) == (2, 3, 3)
        rows = copy.all("SELECT version FROM upload ORDER BY rowid")
        assert [row.text("version") for row in rows] == ["2", "10", "1"]
        with pytest.raises(SetupError, match="append-only"):  # its triggers are there again
            copy.write("DELETE FROM log")
        with pytest.raises(SetupError, match="holds something already"):
            copy_rows(journal.database, copy)


@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
def test_a_copy_goes_on_where_the_journal_was(
    journal: Journal, fresh: Fresh, kind: str, said: Judgment, clock: DrivenClock
) -> None:
    fill(journal, said)
    place = fresh(kind)
    with closing(opened(place)) as copy:
        copy_rows(journal.database, copy)
    for going_on in (journal, again := Journal.open(place, clock)):
        going_on.log.add(Key(tool="u", version="2", stage="fetch"), "later", "x")
        assert going_on.runs.begin() == 2
        blob = Blob(name="n\x7f\t", sha256="b" * 64, size=1)
        going_on.evidence.keep("u", "2", blob, "p")
    assert digested(again.database) == digested(journal.database)
    again.close()


def test_a_nul_arrives_as_its_symbol_where_no_text_can_hold_it(
    path: Path, fresh: Fresh, clock: DrivenClock
) -> None:
    with closing(Journal.open(path, clock)) as journal:
        journal.log.add(Key(tool="t", version="1", stage="fetch"), "later", "a\0b")
        with closing(opened(fresh("postgres"))) as copy:
            copy_rows(journal.database, copy)
            (row,) = copy.all("SELECT message FROM log")
    assert row.text("message") == "a\N{SYMBOL FOR NULL}b"
