"""One SQLite file: its connections, transactions, queries and migrations, and its errors in words.

Each thread has a connection of its own: what one writes, the others wait for, as other processes
do. What SQLite raises never leaves this module.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from itertools import chain
from operator import itemgetter
from pathlib import Path
from urllib.parse import quote

from toolsync.journal.connections import Connections
from toolsync.journal.database import Database
from toolsync.journal.migrations import MIGRATIONS, statements
from toolsync.journal.rows import Row, unfit
from toolsync.model.errors import Busy, OutOfSpace, SetupError, ToolsyncError
from toolsync.system.clock import SystemClock
from toolsync.system.private import for_readers, own_state, private_file
from toolsync.system.store import full_disk_is_told

_LOCKED = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
_DISK = (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR)
_RIGHTS = (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM)

_TIMEOUT, _PAUSE = 30.0, 0.01
"""Seconds that another's lock is waited for, and between two tries where SQLite waits for none."""


class SqliteDatabase(Database):
    """An open journal file."""

    def __init__(self, path: Path, *, reading: bool = False) -> None:
        """Open or make the file and bring its tables up to date.

        ``reading`` is for somebody who may read the file and no more: it is neither made nor
        changed, and can be opened while its owner has it open.
        """
        self._path, self._reading = path, reading
        if not reading:
            _made(path)
        connect = _connected_to_read if reading else _connected
        self._connections = Connections(lambda: connect(path))
        try:
            found = self._schema()
        except sqlite3.DatabaseError as error:
            raise self._unopened(error) from error
        self._migrate(path, found)

    def close(self) -> None:
        """Close the file for all threads; none may be using it."""
        self._connections.close()

    @property
    def _connection(self) -> sqlite3.Connection:
        """The connection of this thread."""
        try:
            return self._connections.mine()
        except sqlite3.DatabaseError as error:
            raise self._unopened(error) from error

    def patience(self, seconds: float) -> None:
        """Wait no longer than so for another process's writing before Busy is raised."""
        self._connection.execute(f"PRAGMA busy_timeout = {int(seconds * 1000)}")

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """For the block, write all or nothing; another process's writing is waited for."""
        if self._connection.in_transaction:
            raise AssertionError("a transaction or a snapshot within another")
        self.execute("BEGIN IMMEDIATE")
        try:
            yield
            self.execute("COMMIT")
        except BaseException:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            raise

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """For the block, let all that is read be of one moment; nothing can be written in it."""
        self.execute("BEGIN")
        try:
            yield
        finally:
            self._connection.execute("ROLLBACK")

    def execute(self, sql: str, *values: object) -> int:
        """Run one statement, in a transaction where it writes; return how many rows it changed."""
        try:
            return self._connection.execute(sql, values).rowcount
        except sqlite3.DatabaseError as error:
            raise in_words(error) from error

    def execute_many(self, sql: str, rows: Iterable[Sequence[object]]) -> None:
        """Run one statement for each of these rows of values, in a transaction."""
        try:
            self._connection.executemany(sql, rows)
        except sqlite3.DatabaseError as error:
            raise in_words(error) from error

    def all(self, sql: str, *values: object) -> list[Row]:
        """Return all rows of an answer."""
        try:
            cursor = self._connection.execute(sql, values)
            names = [column[0] for column in cursor.description]
            return [Row(dict(zip(names, row, strict=True))) for row in cursor.fetchall()]
        except sqlite3.DatabaseError as error:
            raise in_words(error) from error

    def each(self, sql: str, *values: object) -> Iterator[Row]:
        """Give the rows of an answer, in a transaction or a snapshot, without holding them all."""
        try:
            cursor = self._connection.execute(sql, values)
            names = [column[0] for column in cursor.description]
            for row in cursor:
                yield Row(dict(zip(names, row, strict=True)))
        except sqlite3.DatabaseError as error:
            raise in_words(error) from error

    def moment(self) -> int:
        """Return the present moment by the database's clock, in milliseconds since 1970."""
        now = "SELECT CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER) AS now"
        return self.all(now)[0].integer("now")

    def texts(self, least: int = 1) -> Iterator[str]:
        """Give every text of at least so many characters, whatever column of a table it is in."""
        return chain.from_iterable(self._texts(least))  # a million go by without a step of ours

    def _texts(self, least: int) -> Iterator[Iterable[str]]:
        """Give the same, some at once."""
        try:
            for place, names in self.tables().items():
                for name in self._long(place, names, least):
                    sql = (
                        f'SELECT "{name}" FROM {place}'  # noqa: S608 (our own names)
                        f' WHERE length("{name}") >= ? AND typeof("{name}") = \'text\''
                    )
                    cursor = self._connection.execute(sql, (least,))
                    while rows := cursor.fetchmany(1000):
                        yield map(itemgetter(0), rows)
        except sqlite3.DatabaseError as error:
            raise in_words(error) from error

    def _long(self, place: str, names: Sequence[str], least: int) -> Iterator[str]:
        """Give the columns that hold anything so long: one way through a table finds them all."""
        counts = ", ".join(f'count(*) FILTER (WHERE length("{name}") >= ?1)' for name in names)
        sql = f"SELECT {counts} FROM {place}"  # noqa: S608 (our own names)
        (found,) = self._connection.execute(sql, (least,))
        yield from (name for name, many in zip(names, found, strict=True) if many)

    def tables(self) -> Mapping[str, tuple[str, ...]]:
        """Return the names of all tables that hold what is remembered, and of their columns."""
        rows = self.all(
            "SELECT t.name AS place, c.name AS name FROM sqlite_schema t"
            " JOIN pragma_table_info(t.name) c WHERE t.type = 'table'"
            " AND t.name NOT LIKE 'sqlite_%' ORDER BY t.name, c.cid"
        )
        found: dict[str, tuple[str, ...]] = {}
        for row in rows:
            found[row.text("place")] = (*found.get(row.text("place"), ()), row.text("name"))
        return found

    @contextmanager
    def filling(self) -> Iterator[None]:
        """For the block, a transaction, let rows be put in as they are: no trigger runs."""
        with self.transaction():
            triggers = self.all("SELECT name, sql FROM sqlite_schema WHERE type = 'trigger'")
            for trigger in triggers:
                self.execute(f"DROP TRIGGER {trigger.text('name')}")
            yield
            for trigger in triggers:
                self.execute(trigger.text("sql"))

    def copy_to(self, path: Path) -> None:
        """Write a copy as of one moment, which another process may go on changing."""
        with closing(sqlite3.connect(private_file(path))) as copy:
            self._connection.backup(copy)
            copy.execute("PRAGMA journal_mode = DELETE")

    # the inside

    def _schema(self) -> int:
        """Return how many migrations the file has had."""
        (found,) = self._connection.execute("PRAGMA user_version").fetchone()
        return int(found)

    def _unopened(self, error: sqlite3.DatabaseError) -> ToolsyncError:
        if self._reading and _code(error) in _RIGHTS:
            return _unkept(self._path, error)
        return _unopened(self._path, error)

    def _migrate(self, path: Path, found: int) -> None:
        if found > len(MIGRATIONS):
            raise SetupError(
                f"the journal {path} is of version {found}, newer than this toolsync"
                f" understands ({len(MIGRATIONS)})",
                resolution="Install the newer toolsync again.",
            )
        if found < len(MIGRATIONS) and self._reading:
            raise Busy(
                f"the journal {path} is of version {found}, older than this toolsync's",
                resolution="Whoever keeps it brings it up to date; try again in a moment.",
            )
        if found < len(MIGRATIONS):
            with self.transaction():
                # Another process may have been first, so the number is read again.
                for number in range(self._schema(), len(MIGRATIONS)):
                    for statement in statements(MIGRATIONS[number]):
                        self.execute(statement)
                    self.execute(f"PRAGMA user_version = {number + 1}")


def _made(path: Path) -> None:
    """See that the file is ours, and readable for nobody but those whom its folder names."""
    with full_disk_is_told(path.parent):
        own_state(path.parent)
        readers = for_readers(path.parent)
        beside = (path.with_name(path.name + ending) for ending in ("-wal", "-shm"))
        # SQLite gives the file's mode to what it makes beside it; of a folder it complains.
        for file in (*(() if path.is_dir() else (path,)), *(p for p in beside if p.exists())):
            private_file(file, readers)


def _connected_to_read(path: Path) -> sqlite3.Connection:
    """Return a connection by which nothing can be written, not even the index of readers.

    SQLite then wants the files beside the journal to be there (wal.html, "Read-Only Databases"):
    they are while somebody has it open who may write.
    """
    place = f"file:{quote(str(path.absolute()))}?mode=ro"
    return sqlite3.connect(
        place, uri=True, timeout=_TIMEOUT, isolation_level=None, check_same_thread=False
    )


def _connected(path: Path) -> sqlite3.Connection:
    # It is used by one thread, and closed by the one that closes all.
    connection = sqlite3.connect(
        path, timeout=_TIMEOUT, isolation_level=None, check_same_thread=False
    )
    try:
        _switch_to_wal(connection)
        connection.execute("PRAGMA synchronous = FULL")
    except sqlite3.DatabaseError:
        connection.close()
        raise
    return connection


def _switch_to_wal(connection: sqlite3.Connection) -> None:
    """Let readers and one writer go on side by side; two that make a journal at once both may.

    Where two switch a new file, SQLite gives one of them "database is locked" at once, whatever
    the timeout (seen in one of fifty); so it is tried again.
    """
    clock = SystemClock()
    ends = clock.monotonic() + _TIMEOUT
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if _code(error) not in _LOCKED or clock.monotonic() > ends:
                raise
            clock.sleep(_PAUSE)
        else:
            return


def _unopened(path: Path, error: sqlite3.DatabaseError) -> ToolsyncError:
    """Return why a file could not be opened; what is none of ours is named."""
    if _code(error) in (*_LOCKED, *_DISK, *_RIGHTS):
        return in_words(error)
    return SetupError(
        f"the journal {path} cannot be opened: {error}",
        resolution="Restore it from a backup, or name another folder with --state.",
    )


def _unkept(path: Path, error: sqlite3.DatabaseError) -> SetupError:
    return SetupError(
        f"the journal {path} cannot be read: {error}; it can while its owner has it open",
        resolution="See that toolsync keep runs: systemctl status toolsync-keeper.service",
    )


def in_words(error: sqlite3.DatabaseError) -> ToolsyncError:
    """Return what SQLite complains of as an error with the right exit status."""
    said, code = str(error), _code(error)
    if code in _LOCKED:
        return Busy(f"the journal is in use: {said}", resolution="Run again in a moment.")
    if code in _DISK:
        return OutOfSpace(
            f"the journal cannot be written: {said}",
            resolution="See that its disk has room and works, and run again.",
        )
    if code in _RIGHTS:
        return SetupError(
            f"the journal cannot be written: {said}",
            resolution="See that its folder is the user's who runs toolsync, and that its disk is"
            " not mounted read-only (after an error of the disk it often is): dmesg, mount.",
        )
    return unfit(said)


def _code(error: sqlite3.DatabaseError) -> int:
    """Return SQLite's primary result code (sqlite3.h), 0 for what the library says itself."""
    code: int = getattr(error, "sqlite_errorcode", 0)
    return code & 0xFF
