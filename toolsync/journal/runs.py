"""The journal's pages about runs: that one happened, where it left each tool, who was told what.

A letter and the note of what it tells are written in one transaction, so that nothing is told
of as said which no letter says; the letter stays until the other side has taken it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from toolsync.journal.book import Book
from toolsync.journal.records import Key, Letter, PageRow, Publication, RunRow, Standing
from toolsync.model.release import Outcome
from toolsync.system.clock import stamp

_SLACK = timedelta(minutes=5)
"""What lies less in the future is no more than a clock that was set right."""
_LIVE = (
    *(("page", "answered"), ("standing", "since"), ("first", "since")),
    *(("upload", "since"), ("upload", "changed")),
)
"""Moments by which something is decided, by table and column."""

LEDGER = """
    CREATE TABLE run (
        id INTEGER PRIMARY KEY AUTOINCREMENT, started TEXT NOT NULL,
        finished TEXT NOT NULL DEFAULT '', exit_status INTEGER NOT NULL DEFAULT -1);
    CREATE TABLE standing (
        tool TEXT PRIMARY KEY, status TEXT NOT NULL, current TEXT NOT NULL,
        newest TEXT NOT NULL, message TEXT NOT NULL, resolution TEXT NOT NULL,
        exit_status INTEGER NOT NULL, since TEXT NOT NULL);
    CREATE TABLE told (
        channel TEXT, subject TEXT, state TEXT NOT NULL, at TEXT NOT NULL,
        PRIMARY KEY (channel, subject));
    CREATE TABLE letter (
        id TEXT PRIMARY KEY, channel TEXT NOT NULL, data TEXT NOT NULL, made TEXT NOT NULL,
        sent TEXT NOT NULL DEFAULT '', tries INTEGER NOT NULL DEFAULT 0,
        error TEXT NOT NULL DEFAULT '');
    CREATE INDEX letter_unsent ON letter (channel, made) WHERE sent = '';
    """
"""The script that made these tables; never to be edited, see `journal`."""

CONFIRMED = """
    CREATE INDEX log_confirmed ON log (tool, version, scope, id)
        WHERE stage = 'confirm' AND event = 'done';
    """
"""The script after it, so that publications are found in a log of years."""


class Ledger(Book):
    """What `Journal` remembers of runs and reports; each method is one transaction."""

    @contextmanager
    def one_moment(self) -> Iterator[None]:
        """For the block, let all that is read be of one moment; nothing can be written in it."""
        self._db.execute("BEGIN")
        try:
            yield
        finally:
            self._db.execute("ROLLBACK")

    def begin_run(self) -> int:
        """Note that an unattended run has begun and return its number."""
        now = stamp(self._clock.now())
        with self._transaction():
            return int(self._db.execute("INSERT INTO run (started) VALUES (?)", (now,)).lastrowid)

    def end_run(self, number: int, exit_status: int) -> None:
        """Note that a run has come to its end."""
        self._put(
            "UPDATE run SET finished=?, exit_status=? WHERE id=?",
            *(stamp(self._clock.now()), exit_status, number),
        )

    def redate(self) -> str:
        """Date now what lies in the future; return the latest such moment, empty if none does.

        A clock that was ahead and is right again would else keep silence from being told, and
        deadlines from passing, until that future has come. The log stays as it was, and says so.
        """
        now = self._clock.now()
        late = stamp(now + _SLACK)
        asked = " UNION ALL ".join(f"SELECT max({name}) AS at FROM {t}" for t, name in _LIVE)  # noqa: S608
        latest: str = max(row["at"] or "" for row in self._all(asked))
        if latest <= late:
            return ""
        with self._transaction():
            for table, name in _LIVE:
                sql = f"UPDATE {table} SET {name}=? WHERE {name}>?"  # noqa: S608 (our own names)
                self._db.execute(sql, (stamp(now), late))
            text = f"the clock says {stamp(now)}, but had said {latest}"
            self._log(Key(tool="", version="", stage=""), "clock", text, stamp(now))
        return latest

    def last_runs(self, limit: int = 2) -> list[RunRow]:
        """Return the last runs, the newest first."""
        rows = self._all("SELECT * FROM run ORDER BY id DESC LIMIT ?", limit)
        return [RunRow(**row) for row in rows]

    def last_finished(self) -> RunRow | None:
        """Return the last run that came to its end."""
        row = self._one("SELECT * FROM run WHERE finished != '' ORDER BY id DESC LIMIT 1")
        return None if row is None else RunRow(**row)

    def keep_standings(self, outcomes: Sequence[Outcome]) -> None:
        """Keep where tools stand after a run; ``since`` stays while the status does."""
        now = stamp(self._clock.now())
        with self._transaction():
            self._db.executemany(
                "INSERT INTO standing VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
                " ON CONFLICT DO UPDATE SET since = CASE WHEN status = excluded.status"
                " THEN since ELSE excluded.since END, status = excluded.status,"
                " current = excluded.current, newest = excluded.newest,"
                " message = excluded.message, resolution = excluded.resolution,"
                " exit_status = excluded.exit_status",
                [
                    (
                        *(o.tool, o.status, o.current or "", o.newest or "", o.message),
                        *(o.resolution, o.exit_status, now),
                    )
                    for o in outcomes
                ],
            )

    def standings(self) -> dict[str, Standing]:
        """Return where every tool stood after the last run that took it, by name."""
        return {row["tool"]: Standing(**row) for row in self._all("SELECT * FROM standing")}

    def told(self, channel: str) -> dict[str, str]:
        """Return what a channel was last told, by subject."""
        rows = self._all("SELECT subject, state FROM told WHERE channel=?", channel)
        return {row["subject"]: row["state"] for row in rows}

    def tell(
        self, channel: str, states: Mapping[str, str], letter: str, data: Mapping[str, Any] | None
    ) -> None:
        """Note what a channel is told, and keep the letter (under that id) that tells it.

        An empty state means that there is nothing more to say of its subject.
        """
        now = stamp(self._clock.now())
        with self._transaction():
            for subject, state in states.items():
                self._db.execute(
                    "INSERT OR REPLACE INTO told VALUES (?, ?, ?, ?)",
                    (channel, subject, state, now),
                )
            if data is not None:
                self._db.execute(
                    "INSERT INTO letter (id, channel, data, made) VALUES (?, ?, ?, ?)",
                    (letter, channel, json.dumps(data), now),
                )

    def unsent(self, channel: str) -> list[Letter]:
        """Return the letters that a channel has not taken yet, oldest first."""
        rows = self._all(
            "SELECT id, channel, data, made, tries, error FROM letter"
            " WHERE channel=? AND sent='' ORDER BY rowid",
            channel,
        )
        return [Letter(**{**row, "data": json.loads(row["data"])}) for row in rows]

    def sent(self, letter: Letter) -> None:
        """Note that a letter was taken by the other side."""
        self._put(
            "UPDATE letter SET sent=?, tries=tries+1, error='' WHERE id=?",
            *(stamp(self._clock.now()), letter.id),
        )

    def not_sent(self, letter: Letter, error: str) -> None:
        """Note why a letter could not be sent; it stays to be sent."""
        self._put("UPDATE letter SET tries=tries+1, error=? WHERE id=?", error, letter.id)

    def publications(self) -> list[Publication]:
        """Return all publications that were ever confirmed, oldest first."""
        rows = self._all(
            "SELECT first.id, first.tool, first.version, first.scope, log.at, release.seen,"
            " json_extract(release.data, '$.published') AS published"
            " FROM (SELECT min(id) AS id, tool, version, scope FROM log"
            " WHERE stage='confirm' AND event='done' GROUP BY tool, version, scope) AS first"
            " JOIN log USING (id)"
            " LEFT JOIN release ON release.tool=first.tool AND release.version=first.version"
            " ORDER BY first.id"
        )
        return [_publication(row) for row in rows]

    def looks(self) -> dict[str, PageRow]:
        """Return the last look at every page, without what it gave, by tool."""
        names = "tool, definition, status, message, resolution, exit_status, looked, answered"
        rows = self._all(f"SELECT {names} FROM page")  # noqa: S608
        return {row["tool"]: PageRow(sighting={}, **row) for row in rows}

    def waiting(self) -> dict[str, str]:
        """Return since when the newest release of a tool waits, by tool, where it does.

        That is upstream's own date, or when it was first seen where the page tells none.
        """
        rows = self._all(
            "SELECT standing.tool, coalesce(nullif(json_extract(data, '$.published'), ''), seen)"
            " AS since FROM standing JOIN release ON release.tool=standing.tool"
            " AND release.version=standing.newest WHERE standing.newest != standing.current"
        )
        return {row["tool"]: row["since"] for row in rows}

    def stage_times(self) -> list[tuple[str, str, str]]:
        """Return stage, start and end of everything that was done."""
        rows = self._all(
            "SELECT stage, started, finished FROM result WHERE outcome='done' AND started != ''"
        )
        return [(row["stage"], row["started"], row["finished"]) for row in rows]


def _publication(row: Mapping[str, Any]) -> Publication:
    place, _, target = row["scope"].partition("@")
    series, _, revision = place.partition("/")
    return Publication(
        **{name: row[name] for name in ("id", "tool", "version", "at")},
        series=series,
        revision=revision,
        target=target,
        released=row["published"] or row["seen"] or row["at"],
        dated=bool(row["published"]),
    )
