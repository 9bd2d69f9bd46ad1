"""Unattended runs: that each happened, and how it ended."""

from __future__ import annotations

from dataclasses import dataclass

from toolsync.journal.database import Database
from toolsync.system.clock import Clock, stamp


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRow:
    """One unattended run: the heartbeat."""

    id: int
    started: str
    finished: str
    """Empty while it runs, and for ever when it was killed."""
    exit_status: int
    """-1 until it has finished."""


@dataclass(frozen=True, slots=True)
class Runs:
    """The table ``run``."""

    database: Database
    clock: Clock

    def begin(self) -> int:
        """Note that a run has begun and return its number."""
        now = stamp(self.clock.now())
        with self.database.transaction():
            (row,) = self.database.all("INSERT INTO run (started) VALUES (?) RETURNING id", now)
        return row.integer("id")

    def end(self, number: int, exit_status: int) -> None:
        """Note that a run has come to its end."""
        self.database.write(
            "UPDATE run SET finished=?, exit_status=? WHERE id=?",
            *(stamp(self.clock.now()), exit_status, number),
        )

    def last(self, limit: int = 2) -> list[RunRow]:
        """Return the last runs, the newest first."""
        rows = self.database.all("SELECT * FROM run ORDER BY id DESC LIMIT ?", limit)
        return [row.read(RunRow) for row in rows]

    def last_finished(self) -> RunRow | None:
        """Return the last run that came to its end."""
        row = self.database.one("SELECT * FROM run WHERE finished != '' ORDER BY id DESC LIMIT 1")
        return None if row is None else row.read(RunRow)
