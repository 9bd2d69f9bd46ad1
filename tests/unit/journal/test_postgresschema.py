"""PostgreSQL's tables are SQLite's: the same names, columns, keys, needs and guards."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

from tests.servers.postgres import Postgres
from toolsync.journal.database import Database
from toolsync.journal.journal import opened
from toolsync.journal.migrations import MIGRATIONS
from toolsync.journal.postgresschema import BASE, LATER

_SQLITE_KEYS = (
    "SELECT t.name AS place, c.name AS name FROM sqlite_schema t JOIN pragma_table_info(t.name) c"
    " WHERE t.type = 'table' AND c.pk AND t.name NOT LIKE 'sqlite_%'"
)
_POSTGRES_KEYS = (
    "SELECT k.table_name::text AS place, k.column_name::text AS name"
    " FROM information_schema.key_column_usage k JOIN information_schema.table_constraints c"
    " USING (constraint_schema, constraint_name) WHERE c.constraint_type = 'PRIMARY KEY'"
    " AND c.constraint_schema = current_schema()"
)
_SQLITE_GUARDS = "SELECT name, tbl_name AS place FROM sqlite_schema WHERE type = 'trigger'"
_POSTGRES_GUARDS = (
    "SELECT DISTINCT t.tgname::text AS name, c.relname::text AS place FROM pg_trigger t"
    " JOIN pg_class c ON c.oid = t.tgrelid WHERE NOT t.tgisinternal"
    " AND c.relnamespace = current_schema()::regnamespace"
)


def pairs(database: Database, sql: str) -> set[tuple[str, str]]:
    return {(row.text("place"), row.text("name")) for row in database.all(sql)}


def test_both_databases_have_the_same_tables(path: Path, server: Postgres) -> None:
    assert len(MIGRATIONS) == BASE + len(LATER), "a script for SQLite lacks its twin"
    with closing(opened(path)) as one, closing(opened(server.fresh())) as other:
        assert {k: set(v) for k, v in one.tables().items()} == {
            k: set(v) for k, v in other.tables().items()
        }
        assert pairs(one, _SQLITE_KEYS) == pairs(other, _POSTGRES_KEYS)
        guards = pairs(other, _POSTGRES_GUARDS)
        extra = {(place, name) for place, name in guards if name.endswith("_is_whole")}
        assert {place for place, _ in extra} == {"log", "leaf", "decision", "retirement"}
        assert pairs(one, _SQLITE_GUARDS) == guards - extra
