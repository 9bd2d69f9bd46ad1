"""Two coordinators on one journal and one archive: what one has lost, he does not publish."""

from __future__ import annotations

import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.servers.postgres import Postgres, postgres, require_psycopg
from tests.servers.web import Web
from tests.support.rig import Rig
from tests.support.tiny import publish, write_tool
from toolsync.journal.journal import Journal
from toolsync.system.clock import SystemClock

pytestmark = pytest.mark.slow

LEASE = 3
"""Seconds."""


@pytest.fixture(scope="module")
def server() -> Iterator[Postgres]:
    require_psycopg()
    with postgres() as found:
        yield found


@pytest.fixture
def two(tmp_path: Path, web: Web, server: Postgres) -> tuple[Rig, Rig, str]:
    """Return two coordinators that have published 1.0, and their journal's address."""
    url, rigs = server.fresh(), []
    for name in "ab":
        rig = Rig(tmp_path / name)
        rig.configure(
            f'{rig.settings}\n[journal]\nurl = "{url}"\nlease_seconds = {LEASE}\n'
            f'[local]\npath = "{tmp_path / "archive"}"\n'
        )
        write_tool(rig.tools, f"{web.url}/dl/", "1.0", "1.1")
        rigs.append(rig)
    publish(web, "1.0")
    rigs[0].run("sync", "hello")
    shutil.copytree(rigs[0].state, rigs[1].state)  # its key and what is stored
    return rigs[0], rigs[1], url


def suspended(rig: Rig, archive: Path) -> subprocess.Popen[bytes]:
    """Start a sync and suspend it while it makes the next state of the archive."""
    process = rig.start("sync", "hello")
    while len(list((archive / ".generations").iterdir())) < 2:
        assert process.poll() is None
        time.sleep(0.002)
    process.send_signal(signal.SIGSTOP)
    return process


def told(url: str) -> str:
    with closing(Journal.open(url, SystemClock())) as journal:
        return "\n".join(entry.message for entry in journal.log.of("hello"))


def confirmations(url: str) -> list[str]:
    with closing(Journal.open(url, SystemClock())) as journal:
        entries = journal.log.of("hello")
    return [e.version for e in entries if (e.stage, e.event) == ("confirm", "done")]


def test_who_was_suspended_beyond_his_lease_publishes_nothing_afterwards(
    two: tuple[Rig, Rig, str], web: Web, tmp_path: Path
) -> None:
    first, second, url = two
    archive = tmp_path / "archive"
    publish(web, "1.0", "1.1")
    before = (archive / "current").readlink()
    late = suspended(first, archive)
    try:
        time.sleep(LEASE + 0.5)
        # The other one has the lease now; the kernel's lock of a folder is the sleeper's still.
        second.run("sync", "hello", status=4)
        assert (archive / "current").readlink() == before
    finally:
        late.send_signal(signal.SIGCONT)
    assert late.wait(60) == 4
    assert (archive / "current").readlink() == before
    assert confirmations(url) == ["1.0"]
    second.run("sync", "hello")
    first.run("sync", "hello")
    assert confirmations(url) == ["1.0", "1.1"]
    assert len(list((archive / "pool").rglob("hello_1.1*.deb"))) == 1
    assert "no longer ours" in told(url)
