"""Read ahead, and note what is asked of one tool: while that is answered alike, so is the rest.

What follows from the journal's answers alone stays as it is while they do. What was asked need not
be known beforehand: it is noted while the journal is asked, and later compared by a digest.
"""

from __future__ import annotations

import hashlib
import marshal
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from pathlib import Path

from toolsync.journal.ahead import Ahead
from toolsync.journal.database import Database
from toolsync.journal.rows import Row

Question = tuple[str, str]
"""A statement without its condition, and its order, as for `Database.of_tool`."""


def question(select: str, order: str) -> Question:
    """Return a question as it was noted; one that does more than ask is none of ours.

    Raises ValueError for such a one.
    """
    if not select.startswith("SELECT ") or ";" in select + order:
        raise ValueError(f"{select!r} is no question of ours")
    return select, order


class Noted(Ahead):
    """A database that is read ahead and notes what it is asked."""

    def __init__(self, database: Database, tools: Iterable[str]) -> None:
        super().__init__(database, tools)
        self._tool = ""
        self._noted: dict[Question, None] = {}
        self._alone = True

    def note(self, tool: str) -> None:
        """Note from here on what is asked of this tool."""
        self._tool, self._noted, self._alone = tool, {}, True

    @property
    def noted(self) -> tuple[Question, ...] | None:
        """What was asked of it, None where anything else was asked, or written."""
        return tuple(self._noted) if self._alone else None

    def answers(self, tool: str, questions: Iterable[Question]) -> str:
        """Return a digest over all that is answered to these questions about a tool."""
        known = [
            [tuple(row.columns.values()) for row in super(Noted, self).of_tool(select, tool, order)]
            for select, order in questions
        ]
        # Nothing is read of this form, and another Python's would only be another digest.
        return hashlib.sha256(marshal.dumps(known, 2)).hexdigest()

    def of_tool(self, select: str, tool: str, order: str = "") -> list[Row]:
        """Return what is known of a tool, and note that it was asked."""
        if tool == self._tool:
            self._noted[select, order] = None
        else:
            self._alone = False
        return super().of_tool(select, tool, order)

    # whatever else is asked or written

    def all(self, sql: str, *values: object) -> list[Row]:
        """Return all rows of an answer."""
        self._alone = False
        return super().all(sql, *values)

    def each(self, sql: str, *values: object) -> Iterator[Row]:
        """Give the rows of an answer, without holding them all."""
        self._alone = False
        return super().each(sql, *values)

    def execute(self, sql: str, *values: object) -> int:
        """Run one statement."""
        self._alone = False
        return super().execute(sql, *values)

    def execute_many(self, sql: str, rows: Iterable[Sequence[object]]) -> None:
        """Run one statement for each of these rows."""
        self._alone = False
        super().execute_many(sql, rows)

    def transaction(self) -> AbstractContextManager[None]:
        """For the block, write all or nothing."""
        self._alone = False
        return super().transaction()

    def moment(self) -> int:
        """Return the present moment by the database's clock, in milliseconds since 1970."""
        self._alone = False
        return super().moment()

    def texts(self, least: int = 1) -> Iterator[str]:
        """Give every text of at least so many characters."""
        self._alone = False
        return super().texts(least)

    def copy_to(self, path: Path) -> None:
        """Write an SQLite file as of one moment."""
        self._alone = False
        super().copy_to(path)
