"""When the keys of tools' keyrings end, as last read, and what they said before."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from toolsync.journal.database import Database
from toolsync.journal.key import Key
from toolsync.journal.log import add_line
from toolsync.system.clock import Clock, stamp


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyDate:
    """When a key of a tool's keyring ends."""

    fingerprint: str
    primary: str
    """Of a subkey its primary key's fingerprint; of a primary key its own."""
    ends: str
    """ISO 8601, empty for never."""
    digest: str = ""
    """Over the files that said so."""
    before: str | None = None
    """What it was before it was re-dated, None where it never was."""
    changed: str = ""
    """When that was seen."""


@dataclass(frozen=True, slots=True)
class KeyDates:
    """The table ``keydate``."""

    database: Database
    clock: Clock

    def of(self, tool: str) -> tuple[KeyDate, ...]:
        """Return when the keys of a tool's keyring end, as last read."""
        rows = self.database.of_tool("SELECT * FROM keydate", tool, "ORDER BY fingerprint")
        return tuple(row.read(KeyDate) for row in rows)

    def ending(self, before: str, limit: int) -> list[tuple[str, KeyDate]]:
        """Return the keys that end before a moment, each with its tool, soonest first."""
        sql = "SELECT * FROM keydate WHERE ends != '' AND ends < ? ORDER BY ends, tool LIMIT ?"
        rows = self.database.all(sql, before, limit)
        return [(row.text("tool"), row.read(KeyDate)) for row in rows]

    def keep(self, tool: str, dates: Sequence[KeyDate]) -> None:
        """Keep what a tool's keyring says now; a key with another end than before was re-dated."""
        known = {date.fingerprint: date for date in self.of(tool)}
        now = stamp(self.clock.now())
        with self.database.transaction():
            self.database.execute("DELETE FROM keydate WHERE tool = ?", tool)
            for date in dates:
                before, changed = self._compared(tool, date, known.get(date.fingerprint), now)
                self.database.execute(
                    "INSERT INTO keydate VALUES (?, ?, ?, ?, ?, ?, ?)",
                    *(tool, date.fingerprint, date.primary, date.ends, date.digest),
                    *(before, changed),
                )

    def _compared(
        self, tool: str, date: KeyDate, last: KeyDate | None, now: str
    ) -> tuple[str | None, str]:
        """Return what a key's end was before and when that changed; log it where it is now."""
        if last is None:
            return None, ""
        if last.ends == date.ends:
            return last.before, last.changed
        text = f"{date.fingerprint} ends {date.ends or 'never'}, not {last.ends or 'never'}"
        key = Key(tool=tool, version="", stage="verify")
        add_line(self.database, key, "key-re-dated", text, now)
        return last.ends, now
