"""The log: what happened, line by line. It can be added to, never changed."""

from __future__ import annotations

from dataclasses import dataclass

from toolsync.journal.database import Database
from toolsync.journal.key import Key
from toolsync.system.clock import Clock, stamp

ASKED, ENDED = "asked", "ended"
"""Events of what somebody has asked for in a browser."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A line of the log."""

    at: str
    tool: str
    version: str
    scope: str
    stage: str
    event: str
    message: str


@dataclass(frozen=True, slots=True)
class Log:
    """The table ``log``."""

    database: Database
    clock: Clock

    def add(self, key: Key, event: str, message: str) -> None:
        """Add a line."""
        with self.database.transaction():
            add_line(self.database, key, event, message, stamp(self.clock.now()))

    def of(self, tool: str, limit: int = 1000) -> list[Entry]:
        """Return a tool's lines, oldest first, at most its last ``limit`` ones.

        Those are among them that were written under a name that it had.
        """
        sql = (
            "SELECT * FROM log WHERE tool IN (SELECT ? UNION SELECT was FROM former WHERE tool=?)"
            " ORDER BY id DESC LIMIT ?"
        )
        return [row.read(Entry) for row in reversed(self.database.all(sql, tool, tool, limit))]

    def errands(self, limit: int) -> list[Entry]:
        """Return the last lines of what was asked for in a browser, newest first.

        There are two of each: `ASKED` and, when it has come to something, `ENDED`; the number of
        what was asked is their scope.
        """
        rows = self.database.all(
            "SELECT * FROM log WHERE event IN (?, ?) AND stage = '' AND scope != ''"
            " ORDER BY id DESC LIMIT ?",
            *(ASKED, ENDED, 2 * limit),
        )
        return [row.read(Entry) for row in rows]

    def last(self, limit: int) -> list[Entry]:
        """Return the last lines of all tools, newest first."""
        rows = self.database.all("SELECT * FROM log ORDER BY id DESC LIMIT ?", limit)
        return [row.read(Entry) for row in rows]


def add_line(database: Database, key: Key, event: str, message: str, now: str) -> None:
    """Add a line within the transaction that makes what it tells."""
    database.execute(
        "INSERT INTO log (at, tool, version, scope, stage, event, message)"
        " VALUES (?, ?, ?, ?, ?, ?, ?)",
        *(now, key.tool, key.version, key.scope, key.stage, event, message),
    )
