"""What the tables ask of a database: SQLite's file, or PostgreSQL's server.

All SQL is written once, in what both understand, with ``?`` where a value goes; docs/adr/0033 says
which words that leaves out. What a driver raises never leaves the module that knows it: each error
comes as one of toolsync's, with its exit status.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol

from toolsync.journal.rows import Row


class Database(Protocol):
    """An open database.

    A query raises Busy while another process writes or the server is away, OutOfSpace where there
    is no room, and SetupError where the database cannot be written or is none of ours.
    """

    def close(self) -> None:
        """Close the database for all threads; none may be using it."""

    def patience(self, seconds: float) -> None:
        """Wait no longer than so for another process's writing before Busy is raised."""

    def transaction(self) -> AbstractContextManager[None]:
        """For the block, write all or nothing; another's writing is waited for.

        One transaction that writes goes on at a time, in all threads and processes together: what
        is read in it is what is there until its end.
        """

    def snapshot(self) -> AbstractContextManager[None]:
        """For the block, let all that is read be of one moment; nothing can be written in it."""

    def execute(self, sql: str, *values: object) -> int:
        """Run one statement, in a transaction where it writes; return how many rows it changed."""

    def execute_many(self, sql: str, rows: Iterable[Sequence[object]]) -> None:
        """Run one statement for each of these rows of values, in a transaction."""

    def all(self, sql: str, *values: object) -> list[Row]:
        """Return all rows of an answer."""

    def each(self, sql: str, *values: object) -> Iterator[Row]:
        """Give the rows of an answer, in a transaction or a snapshot, without holding them all."""

    def moment(self) -> int:
        """Return the present moment by the database's clock, in milliseconds since 1970."""

    def texts(self, least: int = 1) -> Iterator[str]:
        """Give every text of at least so many characters, whatever column of a table it is in."""

    def tables(self) -> Mapping[str, tuple[str, ...]]:
        """Return the names of all tables that hold what is remembered, and of their columns."""

    def filling(self) -> AbstractContextManager[None]:
        """For the block, a transaction, let rows be put in as they are: no trigger runs."""

    def copy_to(self, path: Path) -> None:
        """Write an SQLite file as of one moment, which another process may go on changing."""

    def write(self, sql: str, *values: object) -> None:
        """Run one statement in a transaction of its own."""
        with self.transaction():
            self.execute(sql, *values)

    def one(self, sql: str, *values: object) -> Row | None:
        """Return the first row of an answer, None where there is none."""
        rows = self.all(sql, *values)
        return rows[0] if rows else None

    def of_tool(self, select: str, tool: str, order: str = "") -> list[Row]:
        """Return all rows of one tool; what is selected has the column ``tool`` and no condition.

        Read for many tools, it is one statement for all of them (`ahead`).
        """
        return self.all(f"{select} WHERE tool = ? {order}", tool)

    def replace(self, table: str, keys: Sequence[str], values: Mapping[str, object]) -> None:
        """Put a row in place of the one with the same ``keys``, in a transaction.

        ``values`` are by columns, keys among them. The row before is deleted, so that the triggers
        of a new row run.
        """
        same = " AND ".join(f"{key}=?" for key in keys)
        self.execute(f"DELETE FROM {table} WHERE {same}", *(values[key] for key in keys))  # noqa: S608 (our own names)
        names, marks = ", ".join(values), ", ".join("?" * len(values))
        self.execute(f"INSERT INTO {table} ({names}) VALUES ({marks})", *values.values())  # noqa: S608
