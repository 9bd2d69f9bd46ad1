"""Tools that are followed, by their source packages; and what people took out of the plan.

What was held, decided and pinned belongs to the source package: a tool whose folder is renamed
keeps it. What was written once and is never changed (the log, decisions) stays under the name that
the tool had, and is found by it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass

from toolsync.journal.database import Database
from toolsync.journal.key import Key
from toolsync.journal.log import add_line
from toolsync.system.clock import Clock, stamp

RETIRED, RESUMED = "retired", "resumed"

_ONE_ROW: Mapping[str, tuple[str, ...]] = {
    "page": (),
    "standing": (),
    "first": ("version",),
    "keydate": ("fingerprint",),
    "result": ("version", "scope", "stage"),
    "judgment": ("version", "stage", "scope"),
    "release": ("version",),
    "part": ("sha256", "version", "component"),
    "origin": ("url",),
    "imported": ("version", "repository"),
    "followed": (),
}
"""Tables whose keys are the tool and these columns: what the new name has already stays."""
_ROWS = ("upload", "evidence")


@dataclass(frozen=True, slots=True, kw_only=True)
class Follows:
    """A tool as it was last followed."""

    tool: str
    source: str
    """The name of its source package."""
    folder: str
    """Where it was defined; empty where an older toolsync did not write that down."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Retirement:
    """A person's word that what is served no longer belongs to the plan, or does so again."""

    tool: str
    source: str
    part: str
    """Empty for the whole tool, else what of it, such as ``binary hello-doc bookworm``."""
    act: str
    """``retired`` or ``resumed``."""
    removes: bool
    """Whether it is to be served no longer."""
    who: str
    at: str
    reason: str


@dataclass(frozen=True, slots=True)
class Followed:
    """The tables ``followed``, ``former`` and ``retirement``."""

    database: Database
    clock: Clock

    def all(self) -> dict[str, Follows]:
        """Return every tool that was ever synced, by its present name."""
        rows = self.database.all("SELECT * FROM followed ORDER BY tool")
        return {row.text("tool"): row.read(Follows) for row in rows}

    def follow(self, tools: Iterable[Follows]) -> None:
        """Keep what tools are followed now."""
        known = self.all()
        news = [tool for tool in tools if known.get(tool.tool) != tool]
        if news:
            with self.database.transaction():
                for tool in news:
                    self.database.replace("followed", ("tool",), asdict(tool))

    def rename(self, was: str, tool: str) -> None:
        """Let a tool have all that was remembered under the name that it had, and log it.

        Of a version that was accepted under both names the older acceptance counts.
        """
        now = stamp(self.clock.now())
        with self.database.transaction():
            self.database.execute(
                "UPDATE release SET sha256=o.sha256, accepted=o.accepted FROM release o"
                " WHERE release.tool=? AND o.tool=? AND o.version=release.version"
                " AND o.sha256 != ''",
                *(tool, was),
            )
            for table, keys in _ONE_ROW.items():
                same = " AND ".join(("o.tool=?", *(f"o.{key}={table}.{key}" for key in keys)))
                self.database.execute(
                    f"UPDATE {table} SET tool=? WHERE tool=?"  # noqa: S608 (our own names)
                    f" AND NOT EXISTS (SELECT 1 FROM {table} o WHERE {same})",
                    *(tool, was, tool),
                )
                self.database.execute(f"DELETE FROM {table} WHERE tool=?", was)  # noqa: S608
            for table in _ROWS:
                self.database.execute(f"UPDATE {table} SET tool=? WHERE tool=?", tool, was)  # noqa: S608
            self._rename_within_releases(tool)
            self.database.execute("UPDATE former SET tool=? WHERE tool=?", tool, was)
            self.database.replace("former", ("was",), {"was": was, "tool": tool})
            self.database.execute("DELETE FROM former WHERE was=tool")
            key = Key(tool=tool, version="", stage="")
            add_line(self.database, key, "renamed", f"its folder was named {was} before", now)

    def _rename_within_releases(self, tool: str) -> None:
        for row in self.database.all("SELECT version, data FROM release WHERE tool=?", tool):
            data = row.table("data")
            if data.get("tool") not in (None, tool):
                self.database.execute(
                    "UPDATE release SET data=? WHERE tool=? AND version=?",
                    *(json.dumps({**data, "tool": tool}), tool, row.text("version")),
                )

    def retire(self, retirements: Iterable[Retirement]) -> None:
        """Keep what a person takes out of the plan, or back into it, and log it."""
        with self.database.transaction():
            for one in retirements:
                self.database.execute(
                    "INSERT INTO retirement (tool, source, part, act, removes, who, at, reason)"
                    " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                    *(one.tool, one.source, one.part, one.act, int(one.removes)),
                    *(one.who, one.at, one.reason),
                )
                key = Key(tool=one.tool, version="", stage="")
                gone = ", and is to be served no longer" if one.removes else ""
                text = f"{one.part or 'all of it'}{gone}, by {one.who}: {one.reason or '-'}"
                add_line(self.database, key, one.act, text, one.at)

    def retired(self) -> dict[tuple[str, str], Retirement]:
        """Return what is out of the plan now, by source package and part."""
        rows = self.database.all("SELECT * FROM retirement ORDER BY id")
        acts = (row.read(Retirement, removes=bool(row.integer("removes"))) for row in rows)
        newest = {(act.source, act.part): act for act in acts}
        return {key: act for key, act in newest.items() if act.act == RETIRED}
