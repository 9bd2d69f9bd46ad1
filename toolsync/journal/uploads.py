"""The journal's pages about uploads: what was claimed, and how far each has come."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from toolsync.journal.book import Book
from toolsync.journal.records import Upload
from toolsync.system.clock import stamp


class Uploadbook(Book):
    """What `Journal` remembers of uploads; each method is one transaction."""

    def upload(self, target: str, source: str, version: str, series: str) -> Upload | None:
        """Return what is known of one upload."""
        row = self._one(
            "SELECT * FROM upload WHERE target=? AND source=? AND version=? AND series=?",
            *(target, source, version, series),
        )
        return None if row is None else _upload(row)

    def uploads(self, tool: str) -> list[Upload]:
        """Return all uploads of a tool, oldest first."""
        rows = self._all("SELECT * FROM upload WHERE tool=? ORDER BY rowid", tool)
        return [_upload(row) for row in rows]

    def claim(self, upload: Mapping[str, Any]) -> None:
        """Note that a package is about to be sent; what was claimed before stays as it is."""
        now = stamp(self._clock.now())
        times = {"claimed": now, "changed": now, "since": now}
        row = {**upload, "state": "claimed", "served": "", **times}
        names = ", ".join(row)
        self._put(
            f"INSERT INTO upload ({names}) VALUES ({', '.join('?' * len(row))})"  # noqa: S608
            " ON CONFLICT DO NOTHING",
            *row.values(),
        )

    def advance(
        self,
        upload: Upload,
        state: str,
        served: str = "",
        detail: Mapping[str, Any] | None = None,
    ) -> None:
        """Note how far an upload has come; without ``detail`` the one that is there stays.

        ``since`` changes only with the state.
        """
        now = stamp(self._clock.now())
        text = None if detail is None else json.dumps(detail)
        self._put(
            "UPDATE upload SET since=CASE WHEN state=? THEN since ELSE ? END, state=?, served=?,"
            " changed=?, detail=coalesce(?, detail)"
            " WHERE target=? AND source=? AND version=? AND series=?",
            *(state, now, state, served, now, text),
            *(upload.target, upload.source, upload.version, upload.series),
        )


def _upload(row: Mapping[str, Any]) -> Upload:
    return Upload(**{**row, "detail": json.loads(row["detail"])})
