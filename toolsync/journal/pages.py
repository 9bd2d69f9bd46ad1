"""Release pages: what each last gave, and when each of its versions appeared.

When a version appeared is what its page states, but never before the last look that did not see
it: a date is easily set back.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from toolsync.journal.database import Database
from toolsync.system.clock import Clock, stamp


@dataclass(frozen=True, slots=True, kw_only=True)
class PageRow:
    """The last look at a tool's release page."""

    tool: str
    definition: str
    """Fingerprint of the tool's watch policy: another policy, another page."""
    sighting: Mapping[str, object]
    """The last answer that could be read, empty before the first."""
    status: str
    message: str
    resolution: str
    exit_status: int
    looked: str
    answered: str
    """When the page last gave a usable answer, empty if never."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Looked:
    """What a look at a page came to, to be remembered."""

    tool: str
    definition: str
    sighting: Mapping[str, object] | None
    """None where the page gave nothing new: because it has not changed, or by a failure."""
    answered: bool
    """Whether the page gave a usable answer."""
    status: str
    named: tuple[tuple[str, str], ...] = ()
    """The newest versions of a new sighting, each with its date where the page tells."""
    message: str = ""
    resolution: str = ""
    exit_status: int = 0


_LAST_LOOK = (
    "SELECT tool, definition, status, message, resolution, exit_status, looked, answered FROM page"
)
_LASTING = (
    "SELECT tool, definition, sighting, status, message, resolution, exit_status, '' AS looked,"
    " CASE WHEN status='answered' THEN '' ELSE answered END AS answered FROM page"
)


@dataclass(frozen=True, slots=True)
class Pages:
    """The tables ``page`` and ``first``."""

    database: Database
    clock: Clock

    def of(self, tool: str) -> PageRow | None:
        """Return what the last look at a tool's page gave."""
        rows = self.database.of_tool("SELECT * FROM page", tool)
        return rows[0].read(PageRow, sighting=rows[0].table("sighting")) if rows else None

    def lasting(self, tool: str) -> PageRow | None:
        """Return what the last look gave, the same while looks give the same.

        When it was is empty, and so is when the page answered, unless it does so no longer.
        """
        rows = self.database.of_tool(_LASTING, tool)
        return rows[0].read(PageRow, sighting=rows[0].table("sighting")) if rows else None

    def last_look(self, tool: str) -> PageRow | None:
        """Return the last look at a tool's page, without what it gave."""
        rows = self.database.of_tool(_LAST_LOOK, tool)
        return rows[0].read(PageRow, sighting={}) if rows else None

    def last_looks(self) -> dict[str, PageRow]:
        """Return the last look at every page, without what it gave, by tool."""
        rows = self.database.all(_LAST_LOOK)
        return {row.text("tool"): row.read(PageRow, sighting={}) for row in rows}

    def first_seen(self, tool: str) -> dict[str, str]:
        """Return when each of a tool's newest versions appeared, as far as it is known."""
        rows = self.database.of_tool("SELECT tool, version, since FROM first", tool)
        return {row.text("version"): row.text("since") for row in rows}

    def remember(self, looks: Sequence[Looked]) -> None:
        """Keep what looks gave; one without a sighting keeps the last one that there was."""
        now = stamp(self.clock.now())
        with self.database.transaction():
            for look in looks:
                if look.sighting is not None or not self._keep_sighting(look, now):
                    self._replace(look, now)

    def _keep_sighting(self, look: Looked, now: str) -> bool:
        """Note a look that gave nothing new; say whether there was a sighting to keep."""
        changed = self.database.execute(
            "UPDATE page SET status=?, message=?, resolution=?, exit_status=?,"
            " looked=?, answered=CASE WHEN ? THEN ? ELSE answered END"
            " WHERE tool=? AND definition=?",
            *(look.status, look.message, look.resolution, look.exit_status),
            *(now, look.answered, now, look.tool, look.definition),
        )
        return changed > 0

    def _replace(self, look: Looked, now: str) -> None:
        self._note_first_seen(look, now)
        names = ("tool", "definition", "status", "message", "resolution", "exit_status")
        row = {
            **{name: getattr(look, name) for name in names},
            "sighting": json.dumps(look.sighting or {}),
            "looked": now,
            "answered": now if look.answered else "",
        }
        self.database.replace("page", ("tool",), row)

    def _note_first_seen(self, look: Looked, now: str) -> None:
        if not look.named:
            return
        sql = "SELECT answered FROM page WHERE tool=? AND definition=?"
        row = self.database.one(sql, look.tool, look.definition)
        before = row.text("answered") if row else ""
        self.database.execute_many(
            "INSERT INTO first VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
            [
                (look.tool, version, min(max(published, before), now) if published else now)
                for version, published in look.named
            ],
        )
