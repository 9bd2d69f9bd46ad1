"""What every database does for the tables: the contract of SQLite's and of PostgreSQL's."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from toolsync.journal.database import Database
from toolsync.journal.journal import opened
from toolsync.model.errors import Busy, SetupError

ADD = "INSERT INTO told (channel, subject, state, at) VALUES ('c', ?, 'x', '')"


@pytest.fixture
def database(place: Path | str) -> Iterator[Database]:
    with closing(opened(place)) as found:
        yield found


def subjects(database: Database) -> list[str]:
    rows = database.all("SELECT subject FROM told ORDER BY subject")
    return [row.text("subject") for row in rows]


def add_and(database: Database, fault: str | None) -> None:
    """Write a row, and fail in the same transaction."""
    with database.transaction():
        database.execute(ADD, "d")
        if fault is None:
            raise KeyboardInterrupt
        database.execute(fault)


def test_a_transaction_is_written_whole_or_not_at_all(database: Database) -> None:
    with database.transaction():
        database.execute(ADD, "a")
        database.execute_many(ADD, [("b",), ("c",)])
    with pytest.raises(SetupError, match="nowhere"):
        add_and(database, "INSERT INTO nowhere VALUES (1)")
    with pytest.raises(KeyboardInterrupt):
        add_and(database, None)
    assert subjects(database) == ["a", "b", "c"]
    with database.transaction():
        assert database.execute("UPDATE told SET state = 'y'") == 3


def test_no_transaction_is_within_another(database: Database) -> None:
    with database.transaction(), pytest.raises(AssertionError, match="within another"):
        database.write(ADD, "a")
    assert subjects(database) == []


def test_what_another_writes_is_waited_for_as_long_as_patience_lasts(
    database: Database, place: Path | str
) -> None:
    with closing(opened(place)) as other:
        with other.transaction():
            other.execute(ADD, "theirs")
            database.patience(0.05)
            with pytest.raises(Busy):
                database.write(ADD, "ours")
            assert subjects(database) == []  # reading waits for nobody
        database.write(ADD, "ours")
    assert subjects(database) == ["ours", "theirs"]


def test_transactions_go_one_after_the_other(database: Database) -> None:
    def add(name: str) -> None:
        for number in range(10):
            with database.transaction():  # what another thread reads then is not there yet
                (count,) = database.all("SELECT count(*) AS n FROM told")
                database.execute(ADD, f"{count.integer('n'):03} {name}{number}")

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(add, "abcd"))
    assert [subject[:3] for subject in subjects(database)] == [f"{n:03}" for n in range(40)]


def test_a_row_is_put_in_place_of_the_one_with_its_keys(database: Database) -> None:
    row = {"channel": "c", "subject": "s", "state": "one", "at": ""}
    for state in ("one", "two"):
        with database.transaction():
            database.replace("told", ("channel", "subject"), {**row, "state": state})
    (found,) = database.all("SELECT * FROM told")
    assert found.text("state") == "two"


def test_a_question_mark_and_a_per_cent_sign_are_texts_where_they_are_quoted(
    database: Database,
) -> None:
    for text in ("100 %", "why?", "it's"):
        database.write(ADD, text)
    row = database.one("SELECT 'a?%s' AS a, count(*) AS n FROM told WHERE subject LIKE '%?'")
    assert row is not None
    assert (row.text("a"), row.integer("n")) == ("a?%s", 1)
    assert subjects(database) == ["100 %", "it's", "why?"]


def test_texts_sort_by_their_bytes(database: Database) -> None:
    for text in ("b", "B", "a", "ä", "-", "Z"):
        database.write(ADD, text)
    assert subjects(database) == ["-", "B", "Z", "a", "b", "ä"]


def test_many_rows_are_given_one_by_one(database: Database) -> None:
    with database.transaction():
        database.execute_many(ADD, [(f"{n:04}",) for n in range(3000)])
    with database.snapshot():
        rows = database.each("SELECT subject FROM told WHERE subject > ? ORDER BY 1", "1000")
        assert [row.text("subject") for row in rows] == [f"{n:04}" for n in range(1001, 3000)]


def test_tables_and_columns_are_named(database: Database) -> None:
    assert database.tables()["told"] == ("channel", "subject", "state", "at")
    assert "schema_version" not in database.tables()


def test_every_text_of_every_table_is_given(database: Database) -> None:
    database.write(ADD, "a")
    assert {"c", "a", "x"} <= set(database.texts(1))
    assert not {"c", "a", "x"} & set(database.texts(2))
