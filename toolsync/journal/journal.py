"""What was seen, decided and sent: the only module that knows SQL.

Every method is one transaction. What is kept of one matter is a book of its own (`resultbook` and
its kin), which says its questions through this module.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from toolsync.journal.decisions import DOCKET, EVIDENCE, SERIES, Docket
from toolsync.journal.pages import FIRSTS, Pagebook
from toolsync.journal.records import SHA256, Key
from toolsync.journal.results import Resultbook
from toolsync.journal.runs import CONFIRMED, LEDGER, Ledger
from toolsync.journal.uploads import Uploadbook
from toolsync.model.errors import Busy, OutOfSpace, SetupError, ToolsyncError
from toolsync.system.clock import Clock
from toolsync.system.store import full_disk_is_told

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
    SERIES,
)


class Journal(Resultbook, Ledger, Docket, Pagebook, Uploadbook):
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

    # the inside

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
