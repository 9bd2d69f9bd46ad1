"""Signed evidence: where each release's lies in the store."""

from __future__ import annotations

from dataclasses import dataclass

from toolsync.journal.database import Database
from toolsync.model.values import Blob
from toolsync.system.clock import Clock, stamp


@dataclass(frozen=True, slots=True, kw_only=True)
class Signed:
    """Evidence of a release, signed and in the store."""

    envelope: Blob
    payload: str
    """SHA-256 of the statement in it, in hex."""
    at: str


@dataclass(frozen=True, slots=True)
class Evidence:
    """The table ``evidence``."""

    database: Database
    clock: Clock

    def newest(self, tool: str, version: str) -> Signed | None:
        """Return the newest signed evidence of a release."""
        row = self.database.one(
            "SELECT payload, name, sha256, size, at FROM evidence WHERE tool=? AND version=?"
            " ORDER BY id DESC LIMIT 1",
            *(tool, version),
        )
        return None if row is None else row.read(Signed, envelope=row.read(Blob))

    def of(self, tool: str) -> dict[str, Blob]:
        """Return the newest signed evidence of each of a tool's releases, by version."""
        rows = self.database.all(
            "SELECT version, name, sha256, size FROM evidence WHERE tool=? ORDER BY id", tool
        )
        return {row.text("version"): row.read(Blob) for row in rows}

    def all(self) -> list[Blob]:
        """Return all signed evidence that was ever kept, of every release."""
        rows = self.database.all("SELECT DISTINCT name, sha256, size FROM evidence")
        return [row.read(Blob) for row in rows]

    def keep(self, tool: str, version: str, envelope: Blob, payload: str) -> None:
        """Keep where signed evidence lies; what was signed before stays."""
        self.database.write(
            "INSERT INTO evidence (tool, version, payload, name, sha256, size, at)"
            " VALUES (?, ?, ?, ?, ?, ?, ?)",
            *(tool, version, payload, envelope.name, envelope.sha256, envelope.size),
            stamp(self.clock.now()),
        )
