"""The leaves of the log of publications: one for each signed evidence, in order, for ever.

A trigger adds them in the transaction that keeps the evidence, so that neither is ever there
without the other.
"""

from __future__ import annotations

from dataclasses import dataclass

from toolsync.journal.database import Database


@dataclass(frozen=True, slots=True)
class Leaves:
    """The table ``leaf``; nothing is written here."""

    database: Database

    def all(self) -> list[bytes]:
        """Return the entries of all leaves, oldest first."""
        return [
            row.text("entry").encode()
            for row in self.database.all("SELECT entry FROM leaf ORDER BY number")
        ]

    def count(self) -> int:
        """Return how many there are."""
        row = self.database.one("SELECT count(*) AS found FROM leaf")
        return row.integer("found") if row else 0
