"""The journal's pages about releases: which there are, what their stages came to, and the log.

A stage's result is kept with a fingerprint of its inputs, so a stage whose inputs are unchanged
answers from here. A result is refused while the stage before it has none: the order of
`model.STAGES` holds at run time too. The log can be added to, never changed.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from toolsync.journal.book import Book
from toolsync.journal.records import Entry, Key, Result
from toolsync.model.release import STAGES
from toolsync.system.clock import stamp

_PLACES = {stage: place for place, stage in enumerate(STAGES)}


class Resultbook(Book):
    """What was seen and decided of each release."""

    # releases

    def see(self, tool: str, version: str, data: Mapping[str, Any]) -> bool:
        """Keep a release that a page named; say whether it is news."""
        with self._transaction():
            known = self._one("SELECT 1 FROM release WHERE tool=? AND version=?", tool, version)
            self._db.execute(
                "INSERT INTO release (tool, version, data, seen) VALUES (?, ?, ?, ?)"
                " ON CONFLICT DO UPDATE SET data = excluded.data",
                (tool, version, json.dumps(data), stamp(self._clock.now())),
            )
        return known is None

    def accepted(self, tool: str, version: str) -> str:
        """Return the digest under which a version was first accepted, or nothing."""
        row = self._one("SELECT sha256 FROM release WHERE tool=? AND version=?", tool, version)
        return row["sha256"] if row else ""

    def accept(self, tool: str, version: str, sha256: str) -> None:
        """Pin a version's digest; the first one stays for ever."""
        self._put(
            "UPDATE release SET sha256 = ?, accepted = ?"
            " WHERE tool = ? AND version = ? AND sha256 = ''",
            *(sha256, stamp(self._clock.now()), tool, version),
        )

    def releases(self, tool: str) -> list[dict[str, Any]]:
        """Return every release ever seen, as kept, with ``seen``, ``sha256`` and ``accepted``."""
        rows = self._all("SELECT * FROM release WHERE tool = ?", tool)
        return [{**row, "data": json.loads(row["data"])} for row in rows]

    # stages

    def result(self, key: Key) -> Result | None:
        """Return what a stage came to, if it was ever tried."""
        row = self._one(
            "SELECT * FROM result WHERE tool=? AND version=? AND scope=? AND stage=?",
            *(key.tool, key.version, key.scope, key.stage),
        )
        return None if row is None else _result(row)

    def results(self, tool: str, version: str) -> list[Result]:
        """Return all that a release's stages came to, in the stages' order."""
        rows = self._all("SELECT * FROM result WHERE tool=? AND version=?", tool, version)
        return sorted(map(_result, rows), key=_in_order)

    def holds(self, tool: str, version: str) -> list[Result]:
        """Return those of a release's results that hold it, in the stages' order."""
        sql = "SELECT * FROM result WHERE tool=? AND version=? AND outcome='held'"
        return sorted(map(_result, self._all(sql, tool, version)), key=_in_order)

    def all_results(self, tool: str) -> list[Result]:
        """Return all that a tool's stages came to, of every release, in the stages' order."""
        rows = self._all("SELECT * FROM result WHERE tool=?", tool)
        return sorted(map(_result, rows), key=_in_order)

    def tools_taken(self) -> list[str]:
        """Return the tools of which a release was ever taken."""
        return [row["tool"] for row in self._all("SELECT DISTINCT tool FROM result ORDER BY tool")]

    def record(
        self,
        key: Key,
        *,
        inputs: str,
        outcome: str,
        started: str,
        data: Mapping[str, Any] | None = None,
        message: str = "",
        resolution: str = "",
        kind: str = "",
    ) -> None:
        """Keep a stage's result and log it; refuse one whose predecessor is not done."""
        now = stamp(self._clock.now())
        with self._transaction():
            self._check_order(key)
            self._db.execute(
                "INSERT OR REPLACE INTO result VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    *(key.tool, key.version, key.scope, key.stage, inputs, outcome),
                    *(json.dumps(data or {}), message, resolution, kind, started, now),
                ),
            )
            self._log(key, outcome, message, now)

    def forget_holds(self, tool: str, version: str, series: str) -> None:
        """Drop what once held a release in a series where it is now confirmed."""
        self._put(
            "DELETE FROM result WHERE tool=? AND version=? AND outcome='held'"
            " AND (scope LIKE ? || '/%' OR (scope = '' AND stage = 'compat'))",
            *(tool, version, series),
        )

    def log(self, key: Key, event: str, message: str) -> None:
        """Add a line to the log."""
        with self._transaction():
            self._log(key, event, message, stamp(self._clock.now()))

    def entries(self, tool: str, limit: int = 1000) -> list[Entry]:
        """Return a tool's log, oldest first, at most its last ``limit`` lines."""
        rows = self._all("SELECT * FROM log WHERE tool=? ORDER BY id DESC LIMIT ?", tool, limit)
        return [Entry(**{k: row[k] for k in row if k != "id"}) for row in reversed(rows)]

    def _check_order(self, key: Key) -> None:
        before = STAGES[STAGES.index(key.stage) - 1]
        if before == "watch":
            row = self._one(
                "SELECT 1 FROM release WHERE tool=? AND version=?", key.tool, key.version
            )
        else:
            row = self._one(
                "SELECT 1 FROM result WHERE tool=? AND version=? AND stage=?"
                " AND outcome IN ('done', 'skipped') AND scope IN ('', ?, ?)",
                *(key.tool, key.version, before, key.scope, key.scope.partition("@")[0]),
            )
        if row is None:
            raise AssertionError(f"{key.stage} of {key.tool} {key.version} without {before}")


def _result(row: Mapping[str, Any]) -> Result:
    rest = {**row, "data": json.loads(row["data"])}
    key = Key(**{name: rest.pop(name) for name in ("tool", "version", "stage", "scope")})
    return Result(key=key, **rest)


def _in_order(result: Result) -> tuple[int, str]:
    return _PLACES[result.key.stage], result.key.scope
