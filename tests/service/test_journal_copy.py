"""A set-up moves to PostgreSQL and back, through the command line, with all that it remembers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import pytest

from tests.servers.postgres import Postgres, postgres, require_psycopg
from tests.servers.web import Web
from tests.support.rig import Rig
from tests.support.tiny import publish, write_tool
from toolsync.journal.copying import digests
from toolsync.journal.journal import opened


@pytest.fixture(scope="module")
def server() -> Iterator[Postgres]:
    require_psycopg()
    with postgres() as found:
        yield found


@pytest.mark.slow
def test_a_journal_moves_to_a_server_and_back(rig: Rig, web: Web, server: Postgres) -> None:
    publish(web, "1.0", "1.1")
    write_tool(rig.tools, f"{web.url}/dl/")
    rig.run("check", "hello")
    file, url = rig.state / "journal.sqlite", server.fresh()
    before = rig.json("status", "hello")
    copied = rig.json("journal", "copy", url)
    assert copied["rows"]["page"] == 1
    rig.configure(f'{rig.settings}\n[journal]\nurl = "{url}"\n')
    file.rename(rig.root / "old")  # what follows cannot have read it
    assert rig.json("status", "hello") == before
    publish(web, "1.0", "1.1", "1.2")
    assert rig.json("check", "hello")[0]["newest"] == "1.2"
    assert not file.exists()
    rig.run("journal", "copy", file)
    rig.run("journal", "copy", file, status=2 + 3)  # it is not empty any more
    databases = closing(opened(url)), closing(opened(file))
    with databases[0] as one, databases[1] as other, one.snapshot(), other.snapshot():
        assert digests(one) == digests(other)


def test_a_server_that_does_not_answer_is_for_later(rig: Rig, server: Postgres) -> None:
    url = f"postgresql+psycopg://toolsync@/postgres?host={server.folder}/nothing"
    rig.configure(f'{rig.settings}\n[journal]\nurl = "{url}"\n')
    said = rig.run("status", status=4).stderr
    assert "the journal's database does not answer" in said
