"""Reading ahead: one statement for many tools, the same answers, and none that is out of date."""

from __future__ import annotations

from collections.abc import Mapping

from toolsync.journal.journal import Journal
from toolsync.journal.keydates import KeyDate
from toolsync.journal.pages import Looked
from toolsync.journal.rows import Row
from toolsync.journal.sqlite import SqliteDatabase

NAMES = ("a", "b", "c")


def looked(tool: str, **sighting: object) -> Looked:
    return Looked(tool=tool, definition="d", sighting=sighting, answered=True, status="answered")


def fill(journal: Journal) -> None:
    journal.pages.remember([looked(name, name=name) for name in NAMES])
    for name in NAMES:
        for version in ("1", "2"):
            journal.releases.see(name, version, {"version": version})
            journal.uploads.claim(_claim(name, version))


def _claim(name: str, version: str) -> Mapping[str, object]:
    texts = {"target": "local", "source": name, "version": version, "series": "trixie"}
    return {**texts, "tool": name, "upstream": version, "content": "", "revision": 1, "dsc": ""}


def test_the_answers_are_the_same(journal: Journal) -> None:
    fill(journal)
    near = journal.ahead(("a", "b"))
    for name in (*NAMES, "none"):  # "c" is not of the share, and is asked for by itself
        assert near.pages.of(name) == journal.pages.of(name)
        assert near.pages.last_look(name) == journal.pages.last_look(name)
        assert near.uploads.of(name) == journal.uploads.of(name)
        assert near.decisions.of(name) == journal.decisions.of(name)
        assert near.results.holds(name, "1") == journal.results.holds(name, "1")
        assert sorted(r.version for r in near.releases.of(name)) == sorted(
            r.version for r in journal.releases.of(name)
        )
    assert [upload.version for upload in near.uploads.of("b")] == ["1", "2"]


def test_what_is_written_by_it_is_seen(journal: Journal) -> None:
    fill(journal)
    near = journal.ahead(NAMES)
    assert near.keydates.of("a") == ()
    near.keydates.keep("a", [KeyDate(fingerprint="F", primary="F", ends="")])
    assert [date.fingerprint for date in near.keydates.of("a")] == ["F"]
    assert near.keydates.of("b") == ()


class Counting(SqliteDatabase):
    """Counts the statements that ask for something."""

    asked = 0

    def all(self, sql: str, *values: object) -> list[Row]:
        self.asked += 1
        return super().all(sql, *values)


def test_one_statement_for_all(path: object, clock: object, journal: Journal) -> None:
    fill(journal)
    if not isinstance(journal.database, SqliteDatabase):
        return
    counting = Counting(path)  # type: ignore[arg-type]
    near = Journal.over(counting, journal.clock, (), ()).ahead(NAMES)
    before = counting.asked
    for name in NAMES:
        assert near.pages.of(name) is not None
        assert near.uploads.of(name)
    assert counting.asked - before == 2
    counting.close()
