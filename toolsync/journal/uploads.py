"""Uploads: what was claimed, and how far each has come."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from toolsync.journal.database import Database
from toolsync.journal.rows import Row
from toolsync.system.clock import Clock, stamp

UPLOAD_STATES = (
    *("claimed", "sent", "accepted", "building", "published", "confirmed"),
    *("rejected", "lost", "build-failed", "stuck", "superseded"),
)
"""The way of an upload, then the ways in which it fails; see docs/adr/0008."""
FAILURES = UPLOAD_STATES[6:]
UNSEEN = UPLOAD_STATES[:2]
"""Its target does not show it yet, as far as we have looked."""

_CLAIMED = (
    *("target", "source", "version", "series", "tool", "upstream", "content", "revision"),
    "dsc",
)
"""The columns that a claim fills."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """One source package on its way to, or on, a target."""

    target: str
    source: str
    version: str
    series: str
    tool: str
    upstream: str
    content: str
    revision: int
    dsc: str
    state: str
    """One of `UPLOAD_STATES`."""
    served: str
    """The target's state when it was confirmed."""
    claimed: str
    changed: str
    since: str
    """When the present state began."""
    detail: Mapping[str, Any]
    """What the target noted: attempts, digests as sent, its own records, a sentence."""


@dataclass(frozen=True, slots=True)
class Uploads:
    """The table ``upload``."""

    database: Database
    clock: Clock

    def get(self, target: str, source: str, version: str, series: str) -> Upload | None:
        """Return what is known of one upload."""
        row = self.database.one(
            "SELECT * FROM upload WHERE target=? AND source=? AND version=? AND series=?",
            *(target, source, version, series),
        )
        return None if row is None else _upload(row)

    def of(self, tool: str) -> list[Upload]:
        """Return all uploads of a tool, oldest first."""
        rows = self.database.of_tool("SELECT * FROM upload", tool, "ORDER BY rowid")
        return [_upload(row) for row in rows]

    def served(self, target: str) -> list[tuple[str, str, str]]:
        """Return source package, series and version of all that a target served of followed tools.

        What came later follows what came before it.
        """
        rows = self.database.all(
            "SELECT source, series, version FROM upload WHERE target=?"
            " AND state IN ('confirmed', 'published') AND tool IN (SELECT tool FROM followed)"
            " ORDER BY tool, rowid",
            target,
        )
        return [(row.text("source"), row.text("series"), row.text("version")) for row in rows]

    def versions(self, target: str, source: str) -> set[str]:
        """Return the versions of a source package that were ever claimed for a target."""
        sql = "SELECT DISTINCT version FROM upload WHERE target=? AND source=?"
        return {row.text("version") for row in self.database.all(sql, target, source)}

    def claim(self, upload: Mapping[str, object]) -> None:
        """Note that a package is about to be sent; what was claimed before stays as it is.

        ``upload`` has the fields of an `Upload` from ``target`` to ``dsc``.
        """
        now = stamp(self.clock.now())
        self.database.write(
            "INSERT INTO upload (target, source, version, series, tool, upstream, content,"
            " revision, dsc, state, claimed, changed, since)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 'claimed', ?, ?, ?) ON CONFLICT DO NOTHING",
            *(upload[name] for name in _CLAIMED),
            *(now, now, now),
        )

    def advance(
        self,
        upload: Upload,
        state: str,
        served: str = "",
        detail: Mapping[str, object] | None = None,
    ) -> None:
        """Note how far an upload has come; without ``detail`` the one that is there stays.

        ``since`` changes only with the state.
        """
        now = stamp(self.clock.now())
        text = None if detail is None else json.dumps(detail)
        self.database.write(
            "UPDATE upload SET since=CASE WHEN state=? THEN since ELSE ? END, state=?, served=?,"
            " changed=?, detail=coalesce(?, detail)"
            " WHERE target=? AND source=? AND version=? AND series=?",
            *(state, now, state, served, now, text),
            *(upload.target, upload.source, upload.version, upload.series),
        )

    def restate(self, upload: Upload, served: str) -> None:
        """Keep by other rules what a target's state was; nothing else has changed."""
        self.database.write(
            "UPDATE upload SET served=? WHERE target=? AND source=? AND version=? AND series=?",
            *(served, upload.target, upload.source, upload.version, upload.series),
        )


def _upload(row: Row) -> Upload:
    return row.read(Upload, detail=row.table("detail"))
