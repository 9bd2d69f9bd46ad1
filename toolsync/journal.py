"""What was seen, decided and sent: the only module that knows SQL.

Every method is one transaction. A stage's result is kept with a fingerprint of its inputs, so
a stage whose inputs are unchanged answers from here. The log can be added to, never changed.
A stage's result is refused while the stage before it has none: the order of `model.STAGES`
holds at run time too.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from toolsync.docket import DOCKET, EVIDENCE, Docket
from toolsync.errors import Busy, OutOfSpace, SetupError, ToolsyncError
from toolsync.ledger import CONFIRMED, LEDGER, Ledger
from toolsync.model import STAGES
from toolsync.pagebook import FIRSTS, Pagebook
from toolsync.records import SHA256, Entry, Key, Result
from toolsync.system.clock import Clock, stamp
from toolsync.system.store import full_disk_is_told
from toolsync.uploadbook import Uploadbook

_MIGRATIONS = (
    """
    CREATE TABLE page (
        tool TEXT PRIMARY KEY, definition TEXT NOT NULL, sighting TEXT NOT NULL,
        status TEXT NOT NULL, message TEXT NOT NULL, resolution TEXT NOT NULL,
        exit_status INTEGER NOT NULL, looked TEXT NOT NULL, answered TEXT NOT NULL);
    CREATE TABLE release (
        tool TEXT, version TEXT, data TEXT NOT NULL, seen TEXT NOT NULL,
        sha256 TEXT NOT NULL DEFAULT '', accepted TEXT NOT NULL DEFAULT '',
        PRIMARY KEY (tool, version));
    CREATE TABLE result (
        tool TEXT, version TEXT, scope TEXT, stage TEXT, inputs TEXT NOT NULL,
        outcome TEXT NOT NULL, data TEXT NOT NULL, message TEXT NOT NULL,
        resolution TEXT NOT NULL, kind TEXT NOT NULL,
        started TEXT NOT NULL, finished TEXT NOT NULL,
        PRIMARY KEY (tool, version, scope, stage));
    CREATE TABLE upload (
        target TEXT, source TEXT, version TEXT, series TEXT, tool TEXT NOT NULL,
        upstream TEXT NOT NULL, content TEXT NOT NULL, revision INTEGER NOT NULL,
        dsc TEXT NOT NULL, state TEXT NOT NULL, served TEXT NOT NULL DEFAULT '',
        claimed TEXT NOT NULL, changed TEXT NOT NULL,
        PRIMARY KEY (target, source, version, series));
    CREATE TABLE log (
        id INTEGER PRIMARY KEY AUTOINCREMENT, at TEXT NOT NULL, tool TEXT NOT NULL,
        version TEXT NOT NULL, scope TEXT NOT NULL, stage TEXT NOT NULL,
        event TEXT NOT NULL, message TEXT NOT NULL);
    CREATE INDEX log_tool ON log (tool, id);
    CREATE TRIGGER log_is_kept BEFORE DELETE ON log
        BEGIN SELECT RAISE(ABORT, 'the log is append-only'); END;
    CREATE TRIGGER log_is_true BEFORE UPDATE ON log
        BEGIN SELECT RAISE(ABORT, 'the log is append-only'); END;
    """,
    LEDGER,
    DOCKET,
    CONFIRMED,
    """
    ALTER TABLE upload ADD COLUMN since TEXT NOT NULL DEFAULT '';
    ALTER TABLE upload ADD COLUMN detail TEXT NOT NULL DEFAULT '{}';
    UPDATE upload SET since = changed;
    """,
    EVIDENCE,
    FIRSTS,
    "CREATE INDEX upload_tool ON upload (tool);",
)

_PLACES = {stage: place for place, stage in enumerate(STAGES)}


class Journal(Ledger, Docket, Pagebook, Uploadbook):
    """The state of all tools, in one SQLite file."""

    def __init__(self, path: Path, clock: Clock) -> None:
        """Open or make the journal; raise SetupError when it is not ours to read."""
        self._clock = clock
        with full_disk_is_told(path.parent):
            path.parent.mkdir(parents=True, exist_ok=True)
        try:
            self._db = sqlite3.connect(path, timeout=30, isolation_level=None)
            self._db.execute("PRAGMA journal_mode = WAL")
            self._db.execute("PRAGMA synchronous = FULL")
            self._migrate(path)
        except sqlite3.DatabaseError as error:
            told = _in_words(error)
            if not isinstance(told, SetupError) or _is_about_rights(error):
                raise told from error
            raise SetupError(
                f"the journal {path} cannot be opened: {error}",
                resolution="Restore it from a backup, or name another folder with --state.",
            ) from error

    def close(self) -> None:
        """Close the file."""
        self._db.close()

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

    def digests(self) -> set[str]:
        """Return every SHA-256 that is named anywhere in here."""
        tables = self._all("SELECT name FROM sqlite_schema WHERE type = 'table'")
        asked = [f"SELECT * FROM {table['name']}" for table in tables]  # noqa: S608 (our own names)
        rows = (row for sql in asked for row in self._db.execute(sql))
        texts = (value for row in rows for value in row if isinstance(value, str))
        return {digest for text in texts for digest in SHA256.findall(text)}

    def copy_to(self, path: Path) -> None:
        """Write a copy as of one moment, which another process may go on changing."""
        with closing(sqlite3.connect(path)) as copy:
            self._db.backup(copy)
            copy.execute("PRAGMA journal_mode = DELETE")

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
            " AND scope LIKE ? || '/%'",
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

    # the inside

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

    def _log(self, key: Key, event: str, message: str, now: str) -> None:
        self._db.execute(
            "INSERT INTO log (at, tool, version, scope, stage, event, message)"
            " VALUES (?, ?, ?, ?, ?, ?, ?)",
            (now, key.tool, key.version, key.scope, key.stage, event, message),
        )

    def _migrate(self, path: Path) -> None:
        found = self._db.execute("PRAGMA user_version").fetchone()[0]
        if found > len(_MIGRATIONS):
            raise SetupError(
                f"the journal {path} is of version {found}, newer than this toolsync"
                f" understands ({len(_MIGRATIONS)})",
                resolution="Install the newer toolsync again.",
            )
        if found < len(_MIGRATIONS):
            with self._transaction():
                # Another process may have been first, so the number is read again.
                found = self._db.execute("PRAGMA user_version").fetchone()[0]
                for number in range(found, len(_MIGRATIONS)):
                    for statement in _statements(_MIGRATIONS[number]):
                        self._db.execute(statement)
                    self._db.execute(f"PRAGMA user_version = {number + 1}")

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        try:
            self._db.execute("BEGIN IMMEDIATE")
            yield
            self._db.execute("COMMIT")
        except BaseException as error:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            if isinstance(error, sqlite3.DatabaseError):
                raise _in_words(error) from error
            raise

    def _put(self, sql: str, *values: object) -> None:
        with self._transaction():
            self._db.execute(sql, values)

    def _one(self, sql: str, *values: object) -> dict[str, Any] | None:
        rows = self._all(sql, *values)
        return rows[0] if rows else None

    def _all(self, sql: str, *values: object) -> list[dict[str, Any]]:
        try:
            cursor = self._db.execute(sql, values)
            names = [column[0] for column in cursor.description]
            return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
        except sqlite3.DatabaseError as error:
            raise _in_words(error) from error


def _in_words(error: sqlite3.DatabaseError) -> ToolsyncError:
    """Return what SQLite complains of as an error with the right exit status."""
    said = str(error)
    if "locked" in said:
        return Busy(f"the journal is in use: {said}", resolution="Run again in a moment.")
    if "full" in said or "disk I/O" in said:
        return OutOfSpace(
            f"the journal cannot be written: {said}",
            resolution="See that its disk has room and works, and run again.",
        )
    if _is_about_rights(error):
        return SetupError(
            f"the journal cannot be written: {said}",
            resolution="See that its folder is the user's who runs toolsync, and that its disk is"
            " not mounted read-only (after an error of the disk it often is): dmesg, mount.",
        )
    return SetupError(
        f"the journal cannot be used: {said}",
        resolution="Restore it from a backup, or name another folder with --state.",
    )


def _is_about_rights(error: sqlite3.DatabaseError) -> bool:
    return "readonly" in str(error) or "unable to open" in str(error)


def _statements(script: str) -> Iterator[str]:
    """Give the statements of a script one by one (triggers hold semicolons of their own)."""
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""


def _result(row: Mapping[str, Any]) -> Result:
    rest = {**row, "data": json.loads(row["data"])}
    key = Key(**{name: rest.pop(name) for name in ("tool", "version", "stage", "scope")})
    return Result(key=key, **rest)


def _in_order(result: Result) -> tuple[int, str]:
    return _PLACES[result.key.stage], result.key.scope
