"""Decisions: what people decided over what gates said.

A decision is never changed or removed; the newest one over the same subject counts.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from toolsync.journal.database import Database
from toolsync.journal.key import Key
from toolsync.journal.log import add_line
from toolsync.model.errors import Changed
from toolsync.model.judgment import Judgment
from toolsync.system.clock import Clock, stamp

APPROVED, REJECTED = "approved", "rejected"


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What a person decided over what a gate said."""

    tool: str
    version: str
    stage: str
    verdict: str
    """``approved`` or ``rejected``."""
    subject: str
    """The judgment's: it holds for nothing else."""
    carries: tuple[str, ...]
    """The judgment's: an approval of these reaches later releases."""
    summary: str
    """What the gate had said."""
    who: str
    """The account's name."""
    at: str
    reason: str


_COLUMNS = "d.id, d.version, d.stage, d.verdict, d.subject, d.carries, d.summary, d.who, d.at,"
_UNDER_ALL_NAMES = (
    "SELECT * FROM ("  # noqa: S608 (our own names)
    f"SELECT {_COLUMNS} d.reason, d.tool AS was, d.tool AS tool FROM decision d"
    f" UNION ALL SELECT {_COLUMNS} d.reason, d.tool AS was, f.tool AS tool FROM decision d"
    " JOIN former f ON f.was = d.tool) AS said"
)
"""All decisions: each under the name that its tool had then, and under the one that it has now."""


@dataclass(frozen=True, slots=True)
class Decisions:
    """The table ``decision``."""

    database: Database
    clock: Clock

    def of(self, tool: str) -> list[Decision]:
        """Return all that was ever decided for a tool, whatever its name was, oldest first."""
        rows = self.database.of_tool(_UNDER_ALL_NAMES, tool, "ORDER BY id")
        return [
            row.read(Decision, tool=row.text("was"), carries=row.texts("carries")) for row in rows
        ]

    def add(self, key: Key, judgment: Judgment, *, verdict: str, who: str, reason: str) -> None:
        """Keep a person's decision over what a gate said, and log it."""
        with self.database.transaction():
            self._add(key, judgment, verdict, who, reason)

    def add_all(
        self,
        chosen: Sequence[tuple[Key, Judgment]],
        *,
        verdict: str,
        who: str,
        reason: str,
        known: int,
    ) -> None:
        """Keep one decision over what several gates said of a release: all of it, or nothing.

        Raises Changed, and keeps nothing, where there are not ``known`` decisions over the tool:
        somebody else has decided since they were counted.
        """
        with self.database.transaction():
            if chosen and len(self.of(chosen[0][0].tool)) != known:
                raise Changed(
                    "somebody else has decided meanwhile; nothing of this was decided",
                    resolution="See what was decided, and decide again if you must.",
                )
            for key, judgment in chosen:
                self._add(key, judgment, verdict, who, reason)

    def _add(self, key: Key, judgment: Judgment, verdict: str, who: str, reason: str) -> None:
        now = stamp(self.clock.now())
        self.database.execute(
            "INSERT INTO decision (tool, version, stage, verdict, subject, carries,"
            " summary, who, at, reason) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            *(key.tool, key.version, key.stage, verdict, judgment.subject),
            *(json.dumps(judgment.carries), judgment.summary, who, now, reason),
        )
        add_line(self.database, key, verdict, f"by {who}: {reason}", now)


def newest_decision(
    decided: Sequence[Decision], version: str, stage: str, subject: str
) -> Decision | None:
    """Return the newest decision over exactly this subject, if there is one."""
    same = [d for d in decided if (d.version, d.stage, d.subject) == (version, stage, subject)]
    return same[-1] if same else None
