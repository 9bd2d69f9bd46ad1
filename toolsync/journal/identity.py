"""Which journal this is, and how far it has come: by that it is known beside its store."""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from toolsync.journal.database import Database

_TELLING = ("page", "release", "result", "upload", "decision", "evidence")


@dataclass(frozen=True, slots=True, kw_only=True)
class Stamp:
    """A journal at one moment."""

    id: str
    """Made at random with the journal; a copy has the same."""
    serial: int
    """Raised before each run that may change anything: of two copies the lower one is older."""


@dataclass(frozen=True, slots=True)
class Identity:
    """The table ``identity``."""

    database: Database

    def stamp(self) -> Stamp | None:
        """Return which journal this is; None where it was made before journals knew that."""
        row = self.database.one("SELECT id, serial FROM identity ORDER BY rowid")
        return None if row is None else row.read(Stamp)

    def introduce(self) -> Stamp:
        """Let the journal have an id, if it has none; the caller knows that it is the right one."""
        self.database.write(
            "INSERT INTO identity (id, serial)"
            " SELECT ?, 0 WHERE NOT EXISTS (SELECT 1 FROM identity)",
            secrets.token_hex(16),
        )
        found = self.stamp()
        assert found is not None
        return found

    def raise_serial(self) -> Stamp:
        """Begin another run that may change something."""
        self.database.write("UPDATE identity SET serial = serial + 1")
        return self.introduce()

    def is_blank(self) -> bool:
        """Say whether nothing was ever looked at, taken, decided or signed."""
        queries = (f"SELECT 1 FROM {name} LIMIT 1" for name in _TELLING)  # noqa: S608
        return not any(self.database.all(query) for query in queries)
