"""A PostgreSQL database: its connections, transactions, queries and tables, its errors in words.

Each thread has a connection of its own. Transactions that write go one after the other, in all
processes together, as in SQLite: each begins with one lock. What psycopg raises never leaves this
module. It is loaded only where ``[journal] url`` names such a database.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import TypeVar

from toolsync.journal.connections import Connections
from toolsync.journal.copying import NUL, copy_rows
from toolsync.journal.database import Database
from toolsync.journal.migrations import MIGRATIONS
from toolsync.journal.postgresschema import BASE, LATER, TABLES
from toolsync.journal.rows import Row, unfit
from toolsync.journal.sqlite import SqliteDatabase
from toolsync.model.errors import Busy, OutOfSpace, SetupError, ToolsyncError

try:
    import psycopg
    from psycopg.pq import TransactionStatus
except ImportError as error:
    raise SetupError(
        f"[journal] url names a PostgreSQL database, and psycopg cannot be loaded: {error}",
        resolution="Install it: apt install python3-psycopg, or pip install 'toolsync[fleet]'.",
    ) from error

T = TypeVar("T")
_WRITING = 0x746F6F6C73796E63
"""The number of the lock that those who write hold: "toolsync" in ASCII."""
_SETTINGS = {
    "lock_timeout": 30_000,
    "statement_timeout": 600_000,
    "idle_in_transaction_session_timeout": 60_000,
}
"""Milliseconds. The last one frees the lock of a process that was suspended while it wrote."""
_LATER = ("08", "25P03", "40", "53300", "55P03", "57")
"""Classes and codes (PostgreSQL's manual, appendix A) of what passes: connections, conflicts,
too many clients, a lock that was not to be had, a server that is stopped."""
_ROOM = ("53",)
_RIGHTS = ("25", "28", "3D", "42501")


class PostgresDatabase(Database):
    """An open journal on a server."""

    def __init__(self, url: str, *, reading: bool = False) -> None:
        """Connect, and make the tables or bring them up to date; ``reading`` changes nothing."""
        self._where, self._reading = dsn(url), reading
        self._connections: Connections[psycopg.Connection] = Connections(self._connected)
        (row,) = self.all("SELECT current_setting('server_encoding') AS encoding")
        if row.text("encoding") != "UTF8":
            raise SetupError(
                f"the journal's database stores texts as {row.text('encoding')}, not as UTF8",
                resolution="Make another one: createdb --encoding=UTF8 --template=template0 NAME",
            )
        self._migrate()

    def close(self) -> None:
        """Close all threads' connections; none may be in use."""
        self._connections.close()

    def patience(self, seconds: float) -> None:
        """Wait no longer than so for another process's writing before Busy is raised."""
        self.execute(f"SET lock_timeout = {max(1, int(seconds * 1000))}")

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """For the block, write all or nothing; another's writing is waited for."""
        with self._block("BEGIN", end="COMMIT"):
            self.execute("SELECT pg_advisory_xact_lock(?)", _WRITING)
            yield

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """For the block, let all that is read be of one moment; nothing can be written in it."""
        with self._block("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", end="ROLLBACK"):
            yield

    def execute(self, sql: str, *values: object) -> int:
        """Run one statement, in a transaction where it writes; return how many rows it changed."""
        return int(self._asked(lambda to: to.execute(in_postgres(sql), _held(values)).rowcount))

    def execute_many(self, sql: str, rows: Iterable[Sequence[object]]) -> None:
        """Run one statement for each of these rows of values, in a transaction."""

        def run(to: psycopg.Connection) -> None:
            with to.cursor() as cursor:
                cursor.executemany(in_postgres(sql), [_held(row) for row in rows])

        self._asked(run)

    def all(self, sql: str, *values: object) -> list[Row]:
        """Return all rows of an answer."""

        def run(to: psycopg.Connection) -> list[Row]:
            cursor = to.execute(in_postgres(sql), _held(values))
            names = [column.name for column in cursor.description]
            return [Row(dict(zip(names, row, strict=True))) for row in cursor.fetchall()]

        return self._asked(run)

    def each(self, sql: str, *values: object) -> Iterator[Row]:
        """Give the rows of an answer, in a transaction or a snapshot, without holding them all."""
        cursor = self._connections.mine().cursor(name="each")
        try:
            cursor.execute(in_postgres(sql), _held(values))
            names = [column.name for column in cursor.description]
            for row in cursor:
                yield Row(dict(zip(names, row, strict=True)))
        except psycopg.Error as error:
            raise in_words(error) from error
        finally:
            cursor.close()

    def moment(self) -> int:
        """Return the present moment by the database's clock, in milliseconds since 1970."""
        now = "SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint AS now"
        return self.all(now)[0].integer("now")

    def texts(self, least: int = 1) -> Iterator[str]:
        """Give every text of at least so many characters, whatever column of a table it is in."""
        for place, names in self.tables().items():
            for name in names:
                sql = (
                    f'SELECT "{name}" AS held FROM {place}'  # noqa: S608 (our own names)
                    f" WHERE pg_typeof(\"{name}\") = 'text'::regtype"
                    f' AND length("{name}"::text) >= ?'
                )
                yield from (row.text("held") for row in self.all(sql, least))

    def tables(self) -> Mapping[str, tuple[str, ...]]:
        """Return the names of all tables that hold what is remembered, and of their columns."""
        rows = self.all(
            "SELECT c.table_name::text AS place, c.column_name::text AS name"
            " FROM information_schema.columns c JOIN information_schema.tables t"
            " USING (table_schema, table_name) WHERE c.table_schema = current_schema()"
            " AND t.table_type = 'BASE TABLE' AND c.table_name != 'schema_version'"
            " AND c.column_name != 'rowid' ORDER BY 1, c.ordinal_position"
        )
        found: dict[str, tuple[str, ...]] = {}
        for row in rows:
            found[row.text("place")] = (*found.get(row.text("place"), ()), row.text("name"))
        return found

    @contextmanager
    def filling(self) -> Iterator[None]:
        """For the block, a transaction, let rows be put in as they are: no trigger runs."""
        places = self.tables()
        with self.transaction():
            for place in places:
                self.execute(f"ALTER TABLE {place} DISABLE TRIGGER USER")
            yield
            for place in places:
                self.execute(f"ALTER TABLE {place} ENABLE TRIGGER USER")
            self._count_on()

    def copy_to(self, path: Path) -> None:
        """Write an SQLite file as of one moment, which another process may go on changing."""
        copy = SqliteDatabase(path)
        try:
            copy_rows(self, copy)
            copy.all("PRAGMA journal_mode = DELETE")
        finally:
            copy.close()

    # the inside

    def _count_on(self) -> None:
        """Let numbers that the database gives itself go on after those that were put in."""
        given = self.all(
            "SELECT table_name::text AS place FROM information_schema.columns"
            " WHERE table_schema = current_schema() AND is_identity = 'YES' AND column_name = 'id'"
        )
        for place in (row.text("place") for row in given):
            self.execute(
                f"SELECT setval(pg_get_serial_sequence('{place}', 'id'), max(id))"  # noqa: S608
                f" FROM {place} HAVING count(*) > 0"
            )

    def _connected(self) -> psycopg.Connection:
        chosen = {**_SETTINGS, **({"default_transaction_read_only": "on"} if self._reading else {})}
        settings = " ".join(f"-c {name}={value}" for name, value in chosen.items())
        known = psycopg.conninfo.conninfo_to_dict(self._where)
        given = {**_LIVE, **known, "options": f"{settings} {known.get('options', '')}"}
        return psycopg.connect(autocommit=True, client_encoding="UTF8", **given)

    def _asked(self, run: Callable[[psycopg.Connection], T]) -> T:
        """Return what ``run`` makes of this thread's connection; a broken one is dropped."""
        try:
            return run(self._connections.mine())
        except psycopg.Error as error:
            if getattr(self._connections.mine_or_none(), "closed", False):
                self._connections.drop()
            raise in_words(error) from error

    @contextmanager
    def _block(self, begin: str, *, end: str) -> Iterator[None]:
        known = self._connections.mine_or_none()
        if known is not None and known.info.transaction_status != TransactionStatus.IDLE:
            if not known.closed:
                raise AssertionError("a transaction or a snapshot within another")
            self._connections.drop()
        self.execute(begin)
        mine = self._connections.mine()
        try:
            yield
            if self._connections.mine() is not mine:
                raise in_words(psycopg.OperationalError("the connection was lost meanwhile"))
            self.execute(end)
        except BaseException:
            if not mine.closed and mine.info.transaction_status != TransactionStatus.IDLE:
                mine.execute("ROLLBACK")
            raise

    def _migrate(self) -> None:
        found, newest = self._version(), BASE + len(LATER)
        if found > newest:
            raise SetupError(
                f"the journal's database is of version {found}, newer than this toolsync"
                f" understands ({newest})",
                resolution="Install the newer toolsync again.",
            )
        if found == newest:
            return
        with self.transaction():
            if (found := self._version()) == 0:  # another process may have been first
                self._run("CREATE TABLE schema_version (number INTEGER NOT NULL);" + TABLES)
                self.execute("INSERT INTO schema_version VALUES (?)", BASE)
            for script in LATER[max(found, BASE) - BASE :]:
                self._run(script)
            self.execute("UPDATE schema_version SET number = ?", newest)

    def _version(self) -> int:
        """Return how many of SQLite's scripts the tables stand for, 0 where there are none."""
        if not self.all("SELECT 1 WHERE to_regclass('schema_version') IS NOT NULL"):
            return 0
        row = self.one("SELECT number FROM schema_version")
        return row.integer("number") if row else 0

    def _run(self, script: str) -> None:
        """Run a script of many statements."""
        self._asked(lambda to: to.execute(script))


_LIVE = {
    "connect_timeout": 10,
    "application_name": "toolsync",
    "keepalives_idle": 30,
    "tcp_user_timeout": 60_000,
}
"""What libpq is told where the address says nothing else: a silent network has an end."""

assert len(MIGRATIONS) == BASE + len(LATER)


def dsn(url: str) -> str:
    """Return the address as libpq reads it; SQLAlchemy's form of it is understood, too."""
    for scheme in ("postgresql+psycopg://", "postgresql://"):
        if url.startswith(scheme):
            found = "postgresql://" + url.removeprefix(scheme)
            break
    else:
        raise SetupError(
            "[journal] url is no postgresql+psycopg:// address",
            resolution="Write postgresql+psycopg://USER@HOST/NAME; a password belongs into"
            " ~/.pgpass (libpq's manual).",
        )
    try:
        psycopg.conninfo.conninfo_to_dict(found)
    except psycopg.ProgrammingError as error:
        raise SetupError(f"[journal] url cannot be read: {error}") from error
    return found


@lru_cache(maxsize=512)
def in_postgres(sql: str) -> str:
    """Return a statement as psycopg takes it: ``?`` outside quotes is a value's place."""
    parts = sql.replace("%", "%%").split("'")
    return "'".join(part if n % 2 else part.replace("?", "%s") for n, part in enumerate(parts))


def _held(values: Sequence[object]) -> tuple[object, ...]:
    """Return values as PostgreSQL can hold them: no text there has a NUL in it."""
    return tuple(v.replace("\0", NUL) if isinstance(v, str) else v for v in values)


def _is_operational(error: object) -> bool:
    return isinstance(error, psycopg.OperationalError)


def _unconnected(said: str) -> str:
    """Return a code for a connection that was not made; the library gives none.

    What a server says by FATAL and is not of its own state is said of who we are or what we want.
    """
    passing = ("starting up", "shutting down", "recovery", "too many", "connection slots")
    if "FATAL:" in said and not any(word in said for word in passing):
        return "28000"
    return "08001"


def in_words(error: psycopg.Error) -> ToolsyncError:
    """Return what PostgreSQL complains of as an error with the right exit status."""
    code = error.sqlstate or (_unconnected(str(error)) if _is_operational(error) else "")
    said = " ".join((error.diag.message_primary or str(error)).split())  # its DETAIL has values
    if code.startswith(_LATER):
        return Busy(
            f"the journal's database does not answer: {said}",
            resolution="See that it runs and can be reached; run again in a moment.",
        )
    if code.startswith(_ROOM):
        return OutOfSpace(
            f"the journal cannot be written: {said}",
            resolution="See that the database's disk has room and works, and run again.",
        )
    if code.startswith(_RIGHTS):
        return SetupError(
            f"the journal's database refuses us: {said}",
            resolution="See that [journal] url names the right database and user, and that the"
            " database is the user's own.",
        )
    return unfit(said)
