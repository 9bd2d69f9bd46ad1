"""The database: what SQLite complains of becomes one of toolsync's errors, by its code."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from threading import Barrier

import pytest

from toolsync.journal.migrations import MIGRATIONS
from toolsync.journal.sqlite import SqliteDatabase
from toolsync.model.errors import Busy, OutOfSpace, SetupError

ADD = "INSERT INTO told VALUES ('c', ?, 'x', '')"


@pytest.fixture
def database(path: Path) -> Iterator[SqliteDatabase]:
    found = SqliteDatabase(path)
    yield found
    found.close()


def subjects(database: SqliteDatabase) -> list[str]:
    return [row.text("subject") for row in database.all("SELECT subject FROM told")]


def add_and(database: SqliteDatabase, fault: str | None) -> None:
    """Write a row, and fail in the same transaction."""
    with database.transaction():
        database.execute(ADD, "d")
        if fault is None:
            raise KeyboardInterrupt
        database.execute(fault)


def test_a_transaction_is_written_whole_or_not_at_all(database: SqliteDatabase) -> None:
    with database.transaction():
        database.execute(ADD, "a")
        database.execute_many(ADD, [("b",), ("c",)])
    with pytest.raises(SetupError, match="no such table"):
        add_and(database, "INSERT INTO nowhere VALUES (1)")
    with pytest.raises(KeyboardInterrupt):
        add_and(database, None)
    assert subjects(database) == ["a", "b", "c"]


def test_how_many_rows_changed_is_returned(database: SqliteDatabase) -> None:
    with database.transaction():
        database.execute_many(ADD, [("a",), ("b",)])
        assert database.execute("UPDATE told SET state = 'y'") == 2


def test_what_another_process_locks_is_for_later(database: SqliteDatabase, path: Path) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        database.all("PRAGMA busy_timeout = 1")
        with pytest.raises(Busy, match="in use: database is locked"):
            database.write(ADD, "a")
        other.execute("ROLLBACK")
    database.write(ADD, "a")
    assert subjects(database) == ["a"]


def test_a_full_disk_is_told_as_one(database: SqliteDatabase) -> None:
    (pages,) = database.all("PRAGMA page_count")
    database.all(f"PRAGMA max_page_count = {pages.integer('page_count')}")
    with pytest.raises(OutOfSpace, match="cannot be written: database or disk is full"):
        database.write(ADD, "a" * 10**6)
    assert subjects(database) == []


def test_a_file_that_may_not_be_written_is_for_the_set_up(database: SqliteDatabase) -> None:
    database.execute("PRAGMA query_only = 1")
    with pytest.raises(SetupError, match="cannot be written: attempt to write a readonly"):
        database.write(ADD, "a")


def test_words_in_a_message_decide_nothing(database: SqliteDatabase) -> None:
    """An error that only speaks of a lock or a full disk is none of them."""
    for word in ("locked", "full", "readonly", "unable to open"):
        with pytest.raises(SetupError, match=f"cannot be used: no such table: .*{word}") as caught:
            database.all(f'SELECT * FROM "{word}"')
        assert type(caught.value) is SetupError


def test_a_newer_journal_is_not_touched(path: Path) -> None:
    SqliteDatabase(path).close()
    with closing(sqlite3.connect(path)) as db:
        db.execute(f"PRAGMA user_version = {len(MIGRATIONS) + 91}")
    with pytest.raises(SetupError, match="newer than this toolsync understands"):
        SqliteDatabase(path)


def test_garbage_in_its_place_is_told(path: Path) -> None:
    path.write_bytes(b"garbage " * 1000)
    with pytest.raises(SetupError, match=r"the journal .* cannot be opened"):
        SqliteDatabase(path)


def test_a_folder_in_its_place_is_told(path: Path) -> None:
    path.mkdir()
    with pytest.raises(SetupError, match="cannot be written: unable to open database file"):
        SqliteDatabase(path)


def test_every_text_of_every_table_is_given(database: SqliteDatabase) -> None:
    database.write(ADD, "a")
    assert {"c", "a", "x"} <= set(database.texts(1))
    assert not {"c", "a", "x"} & set(database.texts(2))


def test_what_holds_releases_is_found_without_reading_the_other_results(
    database: SqliteDatabase,
) -> None:
    held = "SELECT * FROM (SELECT * FROM result WHERE outcome='held') AS held WHERE tool IN (?, ?)"
    (step,) = database.all(f"EXPLAIN QUERY PLAN {held}", "a", "b")
    assert "USING INDEX result_held" in step.text("detail")


def test_each_thread_has_its_own_transactions_and_waits_for_the_others(
    database: SqliteDatabase,
) -> None:
    def add(name: str) -> None:
        for number in range(20):
            with database.transaction():  # what another thread reads then is not there yet
                (count,) = database.all("SELECT count(*) AS n FROM told")
                database.execute(ADD, f"{count.integer('n'):03} {name}{number}")

    before = len(os.listdir("/proc/self/fd"))
    for _ in range(3):  # threads come and go, and their connections with them
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(add, "abcd"))
    found = sorted(subjects(database))
    assert [subject[:3] for subject in found] == [f"{n:03}" for n in range(240)]
    assert len(os.listdir("/proc/self/fd")) < before + 3 * 3 * 4
    database.close()
    assert len(os.listdir("/proc/self/fd")) < before


def test_many_may_make_a_journal_at_the_same_time(tmp_path: Path) -> None:
    """SQLite itself fails at once where two switch a new file's mode."""
    together = Barrier(6)

    def make(number: int) -> int:
        together.wait()
        database = SqliteDatabase(tmp_path / str(number // 6) / "journal.sqlite")
        found = database.all("SELECT COUNT(*) AS n FROM told")[0].integer("n")
        database.close()
        return found

    with ThreadPoolExecutor(6) as threads:
        assert list(threads.map(make, range(180))) == [0] * 180
