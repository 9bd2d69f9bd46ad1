"""What releases became in git is kept, logged once, and found under a tool's new name."""

from __future__ import annotations

from dataclasses import replace

from toolsync.journal.imports import HELD, IMPORTED, Import
from toolsync.journal.journal import Journal

ONE = Import(
    tool="hello",
    version="1.0-1",
    repository="/srv/hello.git",
    upstream="1.0",
    series="bookworm",
    state=IMPORTED,
    branch="debian/latest",
    commit_id="c" * 40,
)


def test_what_is_kept_twice_is_logged_once(journal: Journal) -> None:
    journal.imports.keep(ONE)
    journal.imports.keep(ONE)
    found = journal.imports.get("hello", "1.0-1", "/srv/hello.git")
    assert found is not None
    assert replace(found, at="") == ONE
    assert [entry.event for entry in journal.log.of("hello")] == ["git-imported"]


def test_the_last_that_was_imported_is_what_is_built_upon(journal: Journal) -> None:
    journal.imports.keep(ONE)
    journal.imports.keep(replace(ONE, version="1.1-1", state=HELD, commit_id="", message="no"))
    last = journal.imports.last("hello", "/srv/hello.git", "debian/latest")
    assert last is not None
    assert last.version == "1.0-1"
    assert journal.imports.last("hello", "/srv/hello.git", "main") is None


def test_a_tool_that_is_renamed_keeps_them(journal: Journal) -> None:
    journal.imports.keep(ONE)
    journal.followed.rename("hello", "hi")
    assert [one.version for one in journal.imports.of("hi")] == ["1.0-1"]
