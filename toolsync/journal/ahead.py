"""Answer what is asked of each tool from one statement for many of them.

A list of ten thousand tools asks the same few questions of each. On a server each is one way there
and back; in a file each is some microseconds of ours. The first time that a question is asked of
one tool of a share, it is asked of the whole share, and the answers of the others wait.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from toolsync.journal.database import Database
from toolsync.journal.rows import Row


class Ahead(Database):
    """A database of which the answers for a share of the tools are read ahead.

    They are of one moment for each question. Whatever is written by it makes it forget them.
    """

    def __init__(self, database: Database, tools: Iterable[str]) -> None:
        self._database = database
        self._tools = tuple(dict.fromkeys(tools))
        self._known: dict[tuple[str, str], Mapping[str, list[Row]]] = {}
        self._names = frozenset(self._tools)

    def of_tool(self, select: str, tool: str, order: str = "") -> list[Row]:
        """Return what is known of one tool, after asking of all of the share where need be."""
        if tool not in self._names:
            return self._database.of_tool(select, tool, order)
        known = self._known.get((select, order))
        if known is None:
            known = self._known[select, order] = self._asked(select, order)
        return known.get(tool, [])

    def _asked(self, select: str, order: str) -> dict[str, list[Row]]:
        marks = ", ".join("?" * len(self._tools))
        found: dict[str, list[Row]] = {}
        for row in self._database.all(f"{select} WHERE tool IN ({marks}) {order}", *self._tools):
            found.setdefault(row.text("tool"), []).append(row)
        return found

    def execute(self, sql: str, *values: object) -> int:
        """Run one statement, and forget what was read ahead."""
        self._known.clear()
        return self._database.execute(sql, *values)

    def execute_many(self, sql: str, rows: Iterable[Sequence[object]]) -> None:
        """Run one statement for each of these rows, and forget what was read ahead."""
        self._known.clear()
        self._database.execute_many(sql, rows)

    def transaction(self) -> AbstractContextManager[None]:
        """For the block, write all or nothing; what is read in it is what is there."""
        return self._forgetting(self._database.transaction())

    def snapshot(self) -> AbstractContextManager[None]:
        """For the block, let all that is read be of one moment."""
        return self._forgetting(self._database.snapshot())

    def filling(self) -> AbstractContextManager[None]:
        """For the block, a transaction, let rows be put in as they are."""
        return self._forgetting(self._database.filling())

    @contextmanager
    def _forgetting(self, block: AbstractContextManager[None]) -> Iterator[None]:
        with block:
            self._known.clear()
            yield
        self._known.clear()

    # what goes through as it is

    def close(self) -> None:
        """Close the database for all threads."""
        self._database.close()

    def patience(self, seconds: float) -> None:
        """Wait no longer than so for another process's writing."""
        self._database.patience(seconds)

    def all(self, sql: str, *values: object) -> list[Row]:
        """Return all rows of an answer."""
        return self._database.all(sql, *values)

    def each(self, sql: str, *values: object) -> Iterator[Row]:
        """Give the rows of an answer, without holding them all."""
        return self._database.each(sql, *values)

    def moment(self) -> int:
        """Return the present moment by the database's clock, in milliseconds since 1970."""
        return self._database.moment()

    def texts(self, least: int = 1) -> Iterator[str]:
        """Give every text of at least so many characters."""
        return self._database.texts(least)

    def tables(self) -> Mapping[str, tuple[str, ...]]:
        """Return the names of all tables, and of their columns."""
        return self._database.tables()

    def copy_to(self, path: Path) -> None:
        """Write an SQLite file as of one moment."""
        self._database.copy_to(path)
