"""Noting what is asked of a tool: the same answers have the same digest, others another."""

from __future__ import annotations

from tests.unit.journal.test_ahead import NAMES, fill, looked
from toolsync.journal.journal import Journal
from toolsync.journal.noted import Noted


def noting(journal: Journal) -> tuple[Noted, Journal]:
    """Return what notes, and the journal that is read by it."""
    database = Noted(journal.database, NAMES)
    return database, journal.by(database, journal.clock)


def test_what_is_asked_of_a_tool_is_noted(journal: Journal) -> None:
    fill(journal)
    database, near = noting(journal)
    database.note("a")
    assert near.pages.of("a") == journal.pages.of("a")
    assert near.uploads.of("a") == journal.uploads.of("a")
    near.pages.of("a")
    noted = database.noted
    assert noted == (("SELECT * FROM page", ""), ("SELECT * FROM upload", "ORDER BY rowid"))
    database.note("b")
    assert not database.noted


def test_whoever_asks_anything_else_is_not_answered_by_that_alone(journal: Journal) -> None:
    fill(journal)
    database, near = noting(journal)
    for ask in (
        lambda: near.pages.of("b"),
        lambda: near.pages.of("none"),
        lambda: near.results.tools(),
        lambda: near.releases.accepted("a", "1"),
        lambda: near.releases.accept("a", "1", "0" * 64),
        lambda: near.log.of("a"),
        lambda: database.moment(),
    ):
        database.note("a")
        near.uploads.of("a")
        assert database.noted
        ask()
        assert database.noted is None


def test_other_answers_have_another_digest(journal: Journal) -> None:
    fill(journal)

    def digest(name: str) -> str:
        database, near = noting(journal)
        database.note(name)
        near.pages.lasting(name)
        near.releases.of(name)
        assert database.noted
        return database.answers(name, database.noted)

    before = {name: digest(name) for name in NAMES}
    assert len(set(before.values())) == len(NAMES)
    journal.releases.accept("a", "1", "0" * 64)
    assert digest("a") != before["a"]
    assert digest("b") == before["b"]
    journal.pages.remember([looked("b", name="other")])
    assert digest("b") != before["b"]
