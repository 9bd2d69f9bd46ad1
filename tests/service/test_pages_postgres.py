"""Pages that are a user of their own, over a journal of PostgreSQL's: a role that reads alone."""

from __future__ import annotations

import json
import os
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.servers.postgres import Postgres, postgres, require_psycopg
from tests.servers.web import Web
from tests.service.test_errands import held, verdict_of, waits
from tests.service.test_serve import ask, log_in
from tests.support.apart import apart, parted
from tests.support.rig import ROOT, Rig
from toolsync.journal.journal import Journal
from toolsync.journal.key import Key
from toolsync.model.errors import SetupError
from toolsync.system.clock import SystemClock
from toolsync.system.door import WEB_USER

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root has other users")


@pytest.fixture(scope="module")
def server() -> Iterator[Postgres]:
    """Give a server whose socket every user of this machine reaches."""
    require_psycopg()
    with postgres() as found:
        found.folder.chmod(0o755)
        yield found


@pytest.fixture
def service(server: Postgres, monkeypatch: pytest.MonkeyPatch) -> Iterator[Rig]:
    """Give a set-up whose journal's address names no user, as the how-to says."""
    monkeypatch.setenv("PGUSER", "toolsync")  # the service's user has this name elsewhere
    with tempfile.TemporaryDirectory(prefix="pages-") as folder:
        rig = Rig(Path(folder))
        parted(rig)
        address = f"postgresql+psycopg:///postgres?host={server.folder}"
        rig.settings += f'\n[journal]\nurl = "{address}"\n'
        yield rig


def told_of() -> str:
    """Return the statements of the how-to."""
    text = (ROOT / "docs" / "howto" / "web.md").read_text()
    (found,) = re.findall(r"^```sql\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    return str(found)


@pytest.mark.slow
def test_the_how_tos_role_shows_all_and_writes_nothing(
    service: Rig, web: Web, server: Postgres
) -> None:
    rig = service
    held(rig, web)  # the tables are there, as with a service that ran before
    server.run(told_of())
    with apart(rig, PGUSER=WEB_USER) as place:
        session = log_in(rig, place)
        waits(place, session)
        for path in ("/", "/now", "/health", "/tool/hello", "/review/hello/1.0", "/retired"):
            status, _, page = ask(place, path, Cookie=session)
            assert status == 200, page
        form = verdict_of(place, session, "approved")
        assert ask(place, "/review/hello/1.0", form, Cookie=session)[0] == 303
        text = ask(place, "/api/v1/tools/hello/log", Cookie=session)[2]
        assert "by ann (web): legal has agreed" in json.dumps(json.loads(text), ensure_ascii=False)
    _require_no_writing(server)


def _require_no_writing(server: Postgres) -> None:
    """See that the server refuses the role what our own transactions would, and later tables."""
    import psycopg

    server.run("CREATE TABLE made_later (number INTEGER)")
    where = f"host={server.folder} dbname=postgres user={WEB_USER}"
    with psycopg.connect(where, autocommit=True) as role:
        role.execute("SET default_transaction_read_only = off")
        assert role.execute("SELECT count(*) FROM made_later").fetchone() == (0,)
        for statement in (
            "INSERT INTO log SELECT * FROM log",
            "UPDATE decision SET verdict = 'approved'",
            "DELETE FROM made_later",
            "CREATE TABLE mine (number INTEGER)",
            "TRUNCATE log",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                role.execute(statement)
    server.run("DROP TABLE made_later")
    address = f"postgresql+psycopg://{WEB_USER}@/postgres?host={server.folder}"
    journal = Journal.open(address, SystemClock(), reading=True)
    with pytest.raises(SetupError):
        journal.log.add(Key(tool="hello", version="", stage=""), "asked", "by the pages")
    assert journal.log.of("hello")
    journal.close()
