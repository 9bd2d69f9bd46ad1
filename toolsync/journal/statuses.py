"""Statuses: how each tool was doing at the end of the last run that took it, and since when."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from toolsync.journal.database import Database
from toolsync.model.release import Outcome
from toolsync.system.clock import Clock, stamp


@dataclass(frozen=True, slots=True, kw_only=True)
class LastStatus:
    """A tool's status at the end of the last run, and since when it has it."""

    tool: str
    status: str
    current: str
    """The newest version published, empty before the first."""
    newest: str
    """The newest version that the page names, empty if it could not be told."""
    message: str
    resolution: str
    exit_status: int
    since: str
    """When it came to this status."""


@dataclass(frozen=True, slots=True)
class Statuses:
    """The table ``standing``."""

    database: Database
    clock: Clock

    def all(self) -> dict[str, LastStatus]:
        """Return every tool's status after the last run that took it, by name."""
        rows = self.database.all("SELECT * FROM standing")
        return {row.text("tool"): row.read(LastStatus) for row in rows}

    def waiting(self) -> dict[str, str]:
        """Return since when the newest release of a tool waits, by tool, where it does.

        That is upstream's own date, or when it was first seen where the page tells none.
        """
        rows = self.database.all(
            "SELECT standing.tool, coalesce(nullif(json_extract(data, '$.published'), ''), seen)"
            " AS since FROM standing JOIN release ON release.tool=standing.tool"
            " AND release.version=standing.newest WHERE standing.newest != standing.current"
        )
        return {row.text("tool"): row.text("since") for row in rows}

    def keep(self, outcomes: Sequence[Outcome]) -> None:
        """Keep tools' statuses after a run; ``since`` stays while the status does."""
        now = stamp(self.clock.now())
        with self.database.transaction():
            self.database.execute_many(
                "INSERT INTO standing VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
                " ON CONFLICT (tool) DO UPDATE SET since = CASE"
                " WHEN standing.status = excluded.status THEN standing.since"
                " ELSE excluded.since END, status = excluded.status,"
                " current = excluded.current, newest = excluded.newest,"
                " message = excluded.message, resolution = excluded.resolution,"
                " exit_status = excluded.exit_status",
                [
                    (
                        *(o.tool, o.status, o.current or "", o.newest or "", o.message),
                        *(o.resolution, o.exit_status, now),
                    )
                    for o in outcomes
                ],
            )
