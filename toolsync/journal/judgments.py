"""Judgments: what each gate said of each release when it was last asked."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass

from toolsync.journal.database import Database
from toolsync.journal.key import Key
from toolsync.journal.rows import Row
from toolsync.model.judgment import Judgment
from toolsync.model.values import dump, load
from toolsync.system.clock import Clock, stamp


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """What a gate said of a release when it was last asked."""

    key: Key
    inputs: str
    """Fingerprint of all that it depends on."""
    judgment: Judgment
    at: str


@dataclass(frozen=True, slots=True)
class Judgments:
    """The table ``judgment``."""

    database: Database
    clock: Clock
    gates: tuple[str, ...]
    """The gates' names in their order; what others said that were once asked is not told."""

    def get(self, key: Key) -> Judged | None:
        """Return what a gate said when it was last asked, if it ever was.

        What another version has written, and this one cannot read, was never said.
        """
        row = self.database.one(
            "SELECT * FROM judgment WHERE tool=? AND version=? AND stage=? AND scope=?",
            *(key.tool, key.version, key.stage, key.scope),
        )
        return _judged(row) if row else None

    def of_release(self, tool: str, version: str) -> list[Judged]:
        """Return all that gates said of a release, in the gates' order, then by series."""
        sql = "SELECT * FROM judgment WHERE tool=? AND version=?"
        found = filter(None, map(_judged, self.database.all(sql, tool, version)))
        asked = (said for said in found if said.key.stage in self.gates)
        return sorted(asked, key=lambda said: (self.gates.index(said.key.stage), said.key.scope))

    def keep(self, key: Key, inputs: str, judgment: Judgment) -> None:
        """Keep what a gate says of a release, for these inputs; what it said before is gone."""
        row = {
            **asdict(key),
            "inputs": inputs,
            "data": json.dumps(dump(judgment)),
            "at": stamp(self.clock.now()),
        }
        with self.database.transaction():
            self.database.replace("judgment", tuple(asdict(key)), row)


def _judged(row: Row) -> Judged | None:
    try:
        said = load(Judgment, json.loads(row.text("data")))
    except (TypeError, ValueError, KeyError):
        return None
    return row.read(Judged, key=row.read(Key), judgment=said)
