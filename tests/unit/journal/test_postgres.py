"""PostgreSQL: what it complains of, and what becomes of a connection, in words of ours."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing

import pytest

from tests.servers.postgres import Postgres, postgres
from toolsync.journal.database import Database
from toolsync.journal.journal import opened
from toolsync.model.errors import Busy, SetupError

ADD = "INSERT INTO told (channel, subject, state, at) VALUES ('c', ?, 'x', '')"


def interrupted(database: Database, by: Callable[[], None]) -> None:
    """Write two rows in a transaction, with something between them."""
    with database.transaction():
        database.execute(ADD, "one")
        by()
        database.execute(ADD, "two")


@pytest.fixture
def url(server: Postgres) -> str:
    return server.fresh()


def test_nothing_empties_the_log_at_once(url: str) -> None:
    with closing(opened(url)) as database, pytest.raises(SetupError, match="append-only"):
        database.write("TRUNCATE log")


def test_a_connection_that_was_ended_is_for_later_and_the_next_one_works(
    url: str, server: Postgres
) -> None:
    with closing(opened(url)) as database:
        database.write(ADD, "a")
        end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid != pg_backend_pid()"
        server.run(end)
        with pytest.raises(Busy, match="does not answer"):
            database.write(ADD, "b")
        database.write(ADD, "c")
        with pytest.raises(Busy, match="does not answer"):
            interrupted(database, lambda: server.run(end))
        database.write(ADD, "f")
        assert len(database.all("SELECT * FROM told")) == 3


def test_one_who_is_suspended_while_he_writes_holds_up_the_others_for_a_while_only(
    url: str,
) -> None:
    with closing(opened(url)) as late, closing(opened(url)) as other:
        late.execute("SET idle_in_transaction_session_timeout = 300")
        with pytest.raises(Busy, match="does not answer"):
            # The other one waits until the server has ended the first.
            interrupted(late, lambda: other.write(ADD, "other"))
        assert [row.text("subject") for row in late.all("SELECT subject FROM told")] == ["other"]


def test_what_cannot_be_reached_or_entered_is_told(url: str, server: Postgres) -> None:
    with pytest.raises(SetupError, match=r'refuses us: .*database "nowhere" does not exist'):
        opened(url.replace("/postgres?", "/nowhere?"))
    with pytest.raises(Busy, match="does not answer"):
        opened(f"postgresql+psycopg://u:s3cret@127.0.0.1:1/x?host={server.folder}/nothing")
    for wrong in ("mysql://x", "postgresql://u@h/x?nonsense=1"):
        with pytest.raises(SetupError, match=r"\[journal\] url"):
            opened(wrong)


def test_a_newer_journal_is_not_touched(url: str) -> None:
    with closing(opened(url)) as database:
        database.write("UPDATE schema_version SET number = 99")
    with pytest.raises(SetupError, match="of version 99, newer than this toolsync"):
        opened(url)


def test_a_server_that_is_gone_is_for_later() -> None:
    with postgres() as server:
        database = opened(server.fresh())
    with pytest.raises(Busy, match="does not answer"):
        database.all("SELECT 1")
    with pytest.raises(Busy, match="does not answer"):
        database.all("SELECT 1")
    database.close()
