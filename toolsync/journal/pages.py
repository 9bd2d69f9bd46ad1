"""The journal's pages about upstreams: what each page last gave, first days, and ends of keys.

When a version appeared is what its page states, but never before the last look that did not see
it: a date is easily set back.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

from toolsync.journal.book import Book
from toolsync.journal.records import Key, KeyDate, Looked, PageRow
from toolsync.system.clock import stamp

FIRSTS = """
    CREATE TABLE first (
        tool TEXT, version TEXT, since TEXT NOT NULL, PRIMARY KEY (tool, version))
        WITHOUT ROWID;
    CREATE TABLE keydate (
        tool TEXT, fingerprint TEXT, "primary" TEXT NOT NULL, ends TEXT NOT NULL,
        digest TEXT NOT NULL, before TEXT, changed TEXT NOT NULL DEFAULT '',
        PRIMARY KEY (tool, fingerprint)) WITHOUT ROWID;
    """
"""The script that made these tables; never to be edited, see `journal`."""


class Pagebook(Book):
    """What was seen on release pages."""

    def page(self, tool: str) -> PageRow | None:
        """Return what the last look at a tool's page gave."""
        row = self._one("SELECT * FROM page WHERE tool = ?", tool)
        return None if row is None else PageRow(**{**row, "sighting": json.loads(row["sighting"])})

    def remember_pages(self, looks: Sequence[Looked]) -> None:
        """Keep what looks gave; one without a sighting keeps the last one that there was."""
        now = stamp(self._clock.now())
        with self._transaction():
            for look in looks:
                said = (look.status, look.message, look.resolution, look.exit_status, now)
                if look.sighting is None:
                    changed = self._db.execute(
                        "UPDATE page SET status=?, message=?, resolution=?, exit_status=?,"
                        " looked=?, answered=CASE WHEN ? THEN ? ELSE answered END"
                        " WHERE tool=? AND definition=?",
                        (*said, look.answered, now, look.tool, look.definition),
                    )
                    if changed.rowcount:
                        continue
                self._note_firsts(look, now)
                self._db.execute(
                    "INSERT OR REPLACE INTO page VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                    (
                        *(look.tool, look.definition, json.dumps(look.sighting or {}), *said),
                        now if look.answered else "",
                    ),
                )

    def firsts(self, tool: str) -> dict[str, str]:
        """Return when each of a tool's newest versions appeared, as far as it is known."""
        rows = self._all("SELECT version, since FROM first WHERE tool = ?", tool)
        return {row["version"]: row["since"] for row in rows}

    def key_dates(self, tool: str) -> tuple[KeyDate, ...]:
        """Return when the keys of a tool's keyring end, as last read."""
        rows = self._all("SELECT * FROM keydate WHERE tool = ? ORDER BY fingerprint", tool)
        return tuple(KeyDate(**{k: row[k] for k in row if k != "tool"}) for row in rows)

    def keep_key_dates(self, tool: str, dates: Sequence[KeyDate]) -> None:
        """Keep what a tool's keyring says now; a key with another end than before was re-dated."""
        known = {date.fingerprint: date for date in self.key_dates(tool)}
        now = stamp(self._clock.now())
        with self._transaction():
            self._db.execute("DELETE FROM keydate WHERE tool = ?", (tool,))
            for date in dates:
                last = known.get(date.fingerprint)
                before, changed = (last.before, last.changed) if last else (None, "")
                if last is not None and last.ends != date.ends:
                    before, changed = last.ends, now
                    text = (
                        f"{date.fingerprint} ends {date.ends or 'never'}, not {before or 'never'}"
                    )
                    key = Key(tool=tool, version="", stage="verify")
                    self._log(key, "key-re-dated", text, now)
                self._db.execute(
                    "INSERT INTO keydate VALUES (?, ?, ?, ?, ?, ?, ?)",
                    (
                        *(tool, date.fingerprint, date.primary, date.ends, date.digest),
                        *(before, changed),
                    ),
                )

    def _note_firsts(self, look: Looked, now: str) -> None:
        if not look.named:
            return
        row = self._one(
            "SELECT answered FROM page WHERE tool=? AND definition=?", look.tool, look.definition
        )
        before = row["answered"] if row else ""
        self._db.executemany(
            "INSERT OR IGNORE INTO first VALUES (?, ?, ?)",
            [
                (look.tool, version, min(max(published, before), now) if published else now)
                for version, published in look.named
            ],
        )
