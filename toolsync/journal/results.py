"""Results: what each stage of each release came to.

A stage's result is kept with a fingerprint of its inputs, so a stage whose inputs are unchanged
answers from here. A result is refused while the stage before it has none: the order of
`Gates.stages` holds at run time too.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from toolsync.journal.database import Database
from toolsync.journal.key import Key
from toolsync.journal.log import add_line
from toolsync.journal.rows import Row
from toolsync.system.clock import Clock, stamp


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What a stage came to."""

    key: Key
    inputs: str
    """Fingerprint of all that the result depends on."""
    outcome: str
    """``done``, ``held``, or ``skipped`` where the set-up says that it is proved elsewhere."""
    data: Mapping[str, Any]
    message: str
    resolution: str
    kind: str
    """The error's class where it was held."""
    started: str
    finished: str


@dataclass(frozen=True, slots=True)
class Results:
    """The table ``result``."""

    database: Database
    clock: Clock
    stages: tuple[str, ...]
    """The stages' names in their order."""

    def get(self, key: Key) -> Result | None:
        """Return what a stage came to, if it was ever tried."""
        row = self.database.one(
            "SELECT * FROM result WHERE tool=? AND version=? AND scope=? AND stage=?",
            *(key.tool, key.version, key.scope, key.stage),
        )
        return None if row is None else _result(row)

    def of(self, tool: str) -> list[Result]:
        """Return all that a tool's stages came to, of every release, in the stages' order."""
        return self._ordered("SELECT * FROM result WHERE tool=?", tool)

    def of_release(self, tool: str, version: str) -> list[Result]:
        """Return all that a release's stages came to, in the stages' order."""
        return self._ordered("SELECT * FROM result WHERE tool=? AND version=?", tool, version)

    def holds(self, tool: str, version: str) -> list[Result]:
        """Return those of a release's results that hold it, in the stages' order."""
        held = "SELECT * FROM (SELECT * FROM result WHERE outcome='held') AS held"
        rows = self.database.of_tool(held, tool)
        return self._in_order(row for row in rows if row.text("version") == version)

    def tools(self) -> list[str]:
        """Return the tools that have results."""
        rows = self.database.all("SELECT DISTINCT tool FROM result ORDER BY tool")
        return [row.text("tool") for row in rows]

    def cleared(self, tool: str) -> list[str]:
        """Return the versions that all gates let pass; those that are published met fewer then."""
        last = self.stages[self.stages.index("publish") - 1]
        rows = self.database.all(
            "SELECT DISTINCT version FROM result WHERE tool=? AND stage IN (?, 'publish')"
            " AND outcome='done'",
            *(tool, last),
        )
        return [row.text("version") for row in rows]

    def held_by_gates(self, tool: str) -> list[str]:
        """Return the versions that a gate holds for a person."""
        rows = self.database.all(
            "SELECT DISTINCT version FROM result WHERE tool=? AND outcome='held'"
            " AND kind='GateClosed'",
            tool,
        )
        return [row.text("version") for row in rows]

    def tools_held(self) -> list[str]:
        """Return the tools of which a gate holds a release, or did."""
        rows = self.database.all(
            "SELECT DISTINCT tool FROM result WHERE outcome='held' AND kind='GateClosed'"
            " ORDER BY tool"
        )
        return [row.text("tool") for row in rows]

    def times(self) -> list[tuple[str, str, str]]:
        """Return stage, start and end of everything that was done."""
        rows = self.database.all(
            "SELECT stage, started, finished FROM result WHERE outcome='done' AND started != ''"
        )
        return [(row.text("stage"), row.text("started"), row.text("finished")) for row in rows]

    def record(
        self,
        key: Key,
        *,
        inputs: str,
        outcome: str,
        started: str,
        data: Mapping[str, object] | None = None,
        message: str = "",
        resolution: str = "",
        kind: str = "",
    ) -> None:
        """Keep a stage's result and log it; refuse one whose predecessor is not done."""
        now = stamp(self.clock.now())
        with self.database.transaction():
            self._check_order(key)
            row = {
                **asdict(key),
                "inputs": inputs,
                "outcome": outcome,
                "data": json.dumps(data or {}),
                "message": message,
                "resolution": resolution,
                "kind": kind,
                "started": started,
                "finished": now,
            }
            self.database.replace("result", tuple(asdict(key)), row)
            add_line(self.database, key, outcome, message, now)

    def forget_holds(self, tool: str, version: str, series: str, but: Sequence[str] = ()) -> None:
        """Drop what once held a release in a series where it is now confirmed.

        Builds of the scopes ``but`` stay: architectures that are wanted, and were not published.
        """
        kept = ", ".join("?" * len(but))
        self.database.write(
            "DELETE FROM result WHERE tool=? AND version=? AND outcome='held'"  # noqa: S608 (marks alone)
            " AND (scope LIKE ? || '/%' OR (scope = '' AND stage = 'compat'))"
            + (f" AND NOT (stage = 'build' AND scope IN ({kept}))" if but else ""),
            *(tool, version, series, *but),
        )

    def _ordered(self, sql: str, *values: str) -> list[Result]:
        return self._in_order(self.database.all(sql, *values))

    def _in_order(self, rows: Iterable[Row]) -> list[Result]:
        found = map(_result, rows)
        return sorted(found, key=lambda result: (self._place(result.key.stage), result.key.scope))

    def _place(self, stage: str) -> int:
        """Return a stage's place; a gate that is no longer asked is after all others."""
        return self.stages.index(stage) if stage in self.stages else len(self.stages)

    def _check_order(self, key: Key) -> None:
        before = self.stages[self.stages.index(key.stage) - 1]
        if before == "binding" and self.get(replace(key, stage=before, scope="")) is None:
            before = "unpack"  # it was taken before there was this gate
        if before == "watch":
            row = self.database.one(
                "SELECT 1 FROM release WHERE tool=? AND version=?", key.tool, key.version
            )
        else:
            row = self.database.one(
                "SELECT 1 FROM result WHERE tool=? AND version=? AND stage=?"
                " AND outcome IN ('done', 'skipped') AND scope IN ('', ?, ?)",
                *(key.tool, key.version, before, key.scope, key.packaging),
            )
        if row is None:
            raise AssertionError(f"{key.stage} of {key.tool} {key.version} without {before}")


def _result(row: Row) -> Result:
    return row.read(Result, key=row.read(Key), data=row.table("data"))
