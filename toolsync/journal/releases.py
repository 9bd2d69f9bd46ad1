"""Releases: which were ever seen on a page, and under which digest each was first accepted."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from toolsync.journal.database import Database
from toolsync.system.clock import Clock, stamp


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenRelease:
    """A release that a page named."""

    tool: str
    version: str
    data: Mapping[str, object]
    """A `model.release.Release` as JSON, as it was last seen."""
    seen: str
    """When it was first seen."""
    sha256: str
    """The digest under which it was first accepted, empty before."""
    accepted: str
    """When that was."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AcceptedPart:
    """Bytes of a release that was accepted."""

    sha256: str
    version: str
    """The release's."""
    component: str
    """Empty for the main tarball."""
    own: str
    """The component's own version, else the release's."""
    at: str = ""
    """When that was."""


@dataclass(frozen=True, slots=True)
class Releases:
    """The tables ``release`` and ``part``."""

    database: Database
    clock: Clock

    def see(self, tool: str, version: str, data: Mapping[str, object]) -> bool:
        """Keep a release that a page named; say whether it is news."""
        sql = "SELECT 1 FROM release WHERE tool=? AND version=?"
        with self.database.transaction():
            known = self.database.one(sql, tool, version)
            self.database.execute(
                "INSERT INTO release (tool, version, data, seen) VALUES (?, ?, ?, ?)"
                " ON CONFLICT (tool, version) DO UPDATE SET data = excluded.data",
                *(tool, version, json.dumps(data), stamp(self.clock.now())),
            )
        return known is None

    def of(self, tool: str) -> list[SeenRelease]:
        """Return every release of a tool that was ever seen."""
        rows = self.database.of_tool("SELECT * FROM release", tool)
        return [row.read(SeenRelease, data=row.table("data")) for row in rows]

    def accepted(self, tool: str, version: str) -> str:
        """Return the digest under which a version was first accepted, or nothing."""
        sql = "SELECT sha256 FROM release WHERE tool=? AND version=?"
        row = self.database.one(sql, tool, version)
        return row.text("sha256") if row else ""

    def accept(
        self, tool: str, version: str, sha256: str, parts: Sequence[AcceptedPart] = ()
    ) -> None:
        """Pin a version's digest; the first one stays for ever. So do its parts'."""
        now = stamp(self.clock.now())
        with self.database.transaction():
            self.database.execute(
                "UPDATE release SET sha256 = ?, accepted = ?"
                " WHERE tool = ? AND version = ? AND sha256 = ''",
                *(sha256, now, tool, version),
            )
            main = AcceptedPart(sha256=sha256, version=version, component="", own=version)
            for part in (main, *parts):
                self.database.execute(
                    "INSERT INTO part (tool, sha256, version, component, own, at)"
                    " VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
                    *(tool, part.sha256, version, part.component, part.own, now),
                )

    def parts(self, tool: str) -> list[AcceptedPart]:
        """Return all bytes of a tool that were accepted, as what."""
        rows = self.database.of_tool("SELECT * FROM part", tool)
        return [row.read(AcceptedPart) for row in rows]

    def accepted_as(self, tool: str, sha256: str) -> list[AcceptedPart]:
        """Return as which versions of a tool, or of its components, these bytes were accepted."""
        sql = "SELECT * FROM part WHERE tool = ? AND sha256 = ? ORDER BY at, version, component"
        return [row.read(AcceptedPart) for row in self.database.all(sql, tool, sha256)]
