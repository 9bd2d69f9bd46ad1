"""The journal's pages about gates: what they said of each release, and what people decided.

A decision is never changed or removed; the newest one over the same subject counts.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from toolsync.journal.book import Book
from toolsync.journal.records import Decision, Judged, Key, Signed
from toolsync.model.judgment import Judgment
from toolsync.model.release import GATES
from toolsync.model.values import Blob, dump, load
from toolsync.system.clock import stamp

APPROVED, REJECTED = "approved", "rejected"

DOCKET = """
    CREATE TABLE judgment (
        tool TEXT, version TEXT, stage TEXT, inputs TEXT NOT NULL, data TEXT NOT NULL,
        at TEXT NOT NULL, PRIMARY KEY (tool, version, stage));
    CREATE TABLE decision (
        id INTEGER PRIMARY KEY AUTOINCREMENT, tool TEXT NOT NULL, version TEXT NOT NULL,
        stage TEXT NOT NULL, verdict TEXT NOT NULL, subject TEXT NOT NULL,
        carries TEXT NOT NULL, summary TEXT NOT NULL, who TEXT NOT NULL, at TEXT NOT NULL,
        reason TEXT NOT NULL);
    CREATE INDEX decision_tool ON decision (tool, id);
    CREATE TRIGGER decision_is_kept BEFORE DELETE ON decision
        BEGIN SELECT RAISE(ABORT, 'decisions are append-only'); END;
    CREATE TRIGGER decision_is_true BEFORE UPDATE ON decision
        BEGIN SELECT RAISE(ABORT, 'decisions are append-only'); END;
    """
"""The script that made these tables; never to be edited, see `journal`."""

EVIDENCE = """
    CREATE TABLE evidence (
        id INTEGER PRIMARY KEY AUTOINCREMENT, tool TEXT NOT NULL, version TEXT NOT NULL,
        payload TEXT NOT NULL, name TEXT NOT NULL, sha256 TEXT NOT NULL, size INTEGER NOT NULL,
        at TEXT NOT NULL);
    CREATE INDEX evidence_release ON evidence (tool, version, id);
    """
"""Likewise."""

SERIES = """
    ALTER TABLE judgment RENAME TO judgment_before;
    CREATE TABLE judgment (
        tool TEXT, version TEXT, stage TEXT, inputs TEXT NOT NULL, data TEXT NOT NULL,
        at TEXT NOT NULL, scope TEXT NOT NULL DEFAULT '',
        PRIMARY KEY (tool, version, stage, scope));
    INSERT INTO judgment SELECT tool, version, stage, inputs, data, at, '' FROM judgment_before;
    DROP TABLE judgment_before;
    INSERT OR IGNORE INTO result
        SELECT c.tool, c.version, b.scope, c.stage, c.inputs, c.outcome, c.data, c.message,
            c.resolution, c.kind, c.started, c.finished
        FROM result c JOIN result b ON b.tool = c.tool AND b.version = c.version
        WHERE c.stage = 'compat' AND c.scope = '' AND c.outcome = 'done'
            AND b.stage = 'build' AND b.outcome IN ('done', 'skipped');
    """
"""The compatibility gate came to judge packages, and so each series apart: what it had let pass
stays so for every package that was built by then."""


class Docket(Book):
    """What `Journal` remembers of judgments and decisions; each method is one transaction."""

    def judged(self, key: Key) -> Judged | None:
        """Return what a gate said when it was last asked, if it ever was.

        What another version has written, and this one cannot read, was never said.
        """
        row = self._one(
            "SELECT * FROM judgment WHERE tool=? AND version=? AND stage=? AND scope=?",
            *(key.tool, key.version, key.stage, key.scope),
        )
        return _judged(row) if row else None

    def judgments(self, tool: str, version: str) -> list[Judged]:
        """Return all that gates said of a release, in the gates' order, then by series."""
        rows = self._all("SELECT * FROM judgment WHERE tool=? AND version=?", tool, version)
        found = [said for row in rows if (said := _judged(row)) is not None]
        return sorted(found, key=lambda said: (GATES.index(said.key.stage), said.key.scope))

    def keep_judgment(self, key: Key, inputs: str, judgment: Judgment) -> None:
        """Keep what a gate says of a release, for these inputs; what it said before is gone."""
        self._put(
            "INSERT OR REPLACE INTO judgment (tool, version, stage, scope, inputs, data, at)"
            " VALUES (?, ?, ?, ?, ?, ?, ?)",
            *(key.tool, key.version, key.stage, key.scope, inputs, json.dumps(dump(judgment))),
            stamp(self._clock.now()),
        )

    def cleared(self, tool: str) -> list[str]:
        """Return the versions that all gates let pass."""
        rows = self._all(
            "SELECT DISTINCT version FROM result WHERE tool=? AND stage=? AND outcome='done'",
            *(tool, GATES[-1]),
        )
        return [row["version"] for row in rows]

    def closed(self, tool: str) -> list[str]:
        """Return the versions that a gate holds for a person."""
        rows = self._all(
            "SELECT DISTINCT version, stage FROM result WHERE tool=? AND outcome='held'"
            " AND kind='GateClosed'",
            tool,
        )
        return [*dict.fromkeys(row["version"] for row in rows if row["stage"] in GATES)]

    def evidence(self, tool: str, version: str) -> Signed | None:
        """Return the newest signed evidence of a release."""
        row = self._one(
            "SELECT payload, name, sha256, size, at FROM evidence WHERE tool=? AND version=?"
            " ORDER BY id DESC",
            *(tool, version),
        )
        if row is None:
            return None
        blob = Blob(name=row["name"], sha256=row["sha256"], size=row["size"])
        return Signed(envelope=blob, payload=row["payload"], at=row["at"])

    def envelopes_of(self, tool: str) -> dict[str, Blob]:
        """Return the newest signed evidence of each of a tool's releases, by version."""
        rows = self._all(
            "SELECT version, name, sha256, size FROM evidence WHERE tool=? ORDER BY id", tool
        )
        return {row.pop("version"): Blob(**row) for row in rows}

    def envelopes(self) -> list[Blob]:
        """Return all signed evidence that was ever kept, of every release."""
        rows = self._all("SELECT DISTINCT name, sha256, size FROM evidence")
        return [Blob(**row) for row in rows]

    def keep_evidence(self, tool: str, version: str, envelope: Blob, payload: str) -> None:
        """Keep where signed evidence lies; what was signed before stays."""
        self._put(
            "INSERT INTO evidence (tool, version, payload, name, sha256, size, at)"
            " VALUES (?, ?, ?, ?, ?, ?, ?)",
            *(tool, version, payload, envelope.name, envelope.sha256, envelope.size),
            stamp(self._clock.now()),
        )

    def decisions(self, tool: str) -> list[Decision]:
        """Return all that was ever decided for a tool, oldest first."""
        rows = self._all("SELECT * FROM decision WHERE tool=? ORDER BY id", tool)
        found = ({**row, "carries": tuple(json.loads(row["carries"]))} for row in rows)
        return [Decision(**{k: row[k] for k in row if k != "id"}) for row in found]

    def decide(self, key: Key, judgment: Judgment, *, verdict: str, who: str, reason: str) -> None:
        """Keep a person's decision over what a gate said, and log it."""
        now = stamp(self._clock.now())
        carries = json.dumps(judgment.carries)
        with self._transaction():
            self._db.execute(
                "INSERT INTO decision (tool, version, stage, verdict, subject, carries,"
                " summary, who, at, reason) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    *(key.tool, key.version, key.stage, verdict, judgment.subject, carries),
                    *(judgment.summary, who, now, reason),
                ),
            )
            self._log(key, verdict, f"by {who}: {reason}", now)


def _judged(row: Mapping[str, Any]) -> Judged | None:
    try:
        said = load(Judgment, json.loads(row["data"]))
    except (TypeError, ValueError, KeyError):
        return None
    key = Key(**{name: row[name] for name in ("tool", "version", "stage", "scope")})
    return Judged(key=key, inputs=row["inputs"], judgment=said, at=row["at"])


def standing_decision(
    decided: Sequence[Decision], version: str, stage: str, subject: str
) -> Decision | None:
    """Return the newest decision over exactly this subject, if there is one."""
    same = [d for d in decided if (d.version, d.stage, d.subject) == (version, stage, subject)]
    return same[-1] if same else None
