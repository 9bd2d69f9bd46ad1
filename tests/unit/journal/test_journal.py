"""The journal: made of one class for each group of tables, which alone know SQL."""

from __future__ import annotations

import dataclasses
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from toolsync.journal import journal as module
from toolsync.journal.journal import Journal
from toolsync.journal.key import Key
from toolsync.system.clock import SystemClock

FOLDER = Path(module.__file__).parent


def test_each_group_of_tables_is_a_field_over_one_database(journal: Journal) -> None:
    groups = {field.name for field in dataclasses.fields(Journal)} - {"database", "clock"}
    assert len(groups) >= 10
    for name in groups:
        group = getattr(journal, name)
        assert type(group).__bases__ == (object,), name
        assert group.database is journal.database, name
        assert (FOLDER / f"{name}.py").is_file(), name
        assert type(group).__module__ == f"toolsync.journal.{name}"
    assert Journal.__bases__ == (object,)


def test_each_group_has_its_test(journal: Journal) -> None:
    modules = {path.stem for path in FOLDER.glob("*.py")} - {"__init__", "key"}
    tested = {path.stem.removeprefix("test_") for path in Path(__file__).parent.glob("test_*.py")}
    assert modules == tested


def test_every_digest_is_found_wherever_it_is_named(journal: Journal) -> None:
    named = ["a" * 64, "b" * 64, "c" * 64]
    journal.releases.accept("t", "1.0", named[0])
    journal.results.record(
        Key(tool="t", version="1.0", stage="fetch"),
        inputs=named[1],
        outcome="done",
        started="",
        message=f"of {named[2]}.",
        data={"no": "d" * 65},
    )
    assert journal.digests() == set(named)


def test_a_copy_is_whole_and_of_one_file(journal: Journal, tmp_path: Path) -> None:
    journal.copy_to(tmp_path / "copy")
    with closing(sqlite3.connect(tmp_path / "copy")) as copy:
        assert copy.execute("PRAGMA journal_mode").fetchone() == ("delete",)
    with closing(Journal.open(tmp_path / "copy", SystemClock())) as again:
        assert [release.version for release in again.releases.of("t")] == ["1.0"]


def test_all_that_is_read_in_one_moment_is_of_it(journal: Journal, place: Path | str) -> None:
    with closing(Journal.open(place, SystemClock())) as other:
        with journal.one_moment():
            with pytest.raises(AssertionError, match="within another"):
                journal.releases.see("t", "1.2", {})
            assert len(journal.releases.of("t")) == 1
            other.releases.see("t", "1.1", {})
            assert len(journal.releases.of("t")) == 1
        assert len(journal.releases.of("t")) == 2
