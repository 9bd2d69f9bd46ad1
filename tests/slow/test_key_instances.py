"""A rotation as instances live through it, by real apt: asleep, upgraded in the overlap, new."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.servers.web import Web
from tests.service.test_archive_key import synced
from tests.service.test_key_life import days_pass
from tests.support import tiny
from tests.support.chroots import Instance, make_chroot
from tests.support.rig import Rig

__all__ = ["synced"]

pytestmark = pytest.mark.slow
LIST = "etc/apt/sources.list.d/toolsync.sources"
KEYRING = "Signed-By: /usr/share/keyrings/toolsync-archive-keyring.asc\n"


@contextmanager
def serving(archive: Path) -> Iterator[str]:
    """Serve an archive on loopback and give its address."""
    server = subprocess.Popen(
        [sys.executable, "-m", "http.server", "--bind", "127.0.0.1", "0"],
        cwd=archive,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    try:
        assert server.stdout
        port = server.stdout.readline().split(b"port ")[1].split()[0].decode()
        yield f"http://127.0.0.1:{port}/"
    finally:
        server.kill()
        server.communicate()


def instance(root: Path, name: str, stanza: str, series: str) -> Instance:
    """Return a fresh chroot with our archive as its only one, and hello installed."""
    (root / name).mkdir()
    made = Instance(root / name, series)
    for path in (made.root / "etc/apt").glob("sources.list*/*"):
        path.unlink()
    (made.root / "etc/apt/sources.list").write_text("")
    made.add_archive(stanza)
    made.run("apt-get install -q -y hello")
    return made


def updated(one: Instance) -> str:
    """Update and upgrade as a timer does; no warning may be said."""
    said = one.run("apt-get update -q")
    assert "W:" not in said, said
    one.run("apt-get upgrade -q -y")
    return one.run("hello").strip()


@pytest.mark.parametrize("series", ["bookworm", "trixie", "noble"])
def test_a_rotation_asleep_upgraded_and_new(
    synced: Rig, web: Web, tmp_path: Path, series: str
) -> None:
    make_chroot(tmp_path, series)
    with serving(synced.archive) as url:

        def stanza() -> str:
            return synced.run("archive", "sources", "--url", url).stdout

        first = stanza()
        asleep, awake = (instance(tmp_path, name, first, series) for name in ("asleep", "awake"))
        synced.run("key", "rotate")
        assert updated(asleep) == "1.0"  # in the overlap the old key is enough
        said = awake.run("apt-get update -q && apt-get install -q -y toolsync-archive-keyring")
        assert "W:" not in said
        assert KEYRING in (awake.root / LIST).read_text()
        assert "BEGIN PGP" not in (awake.root / LIST).read_text()
        new = instance(tmp_path, "new", stanza(), series)

        days_pass(synced, 91)
        tiny.publish(web, "1.0", "1.1")
        synced.run("sync", "hello")
        assert updated(awake) == updated(new) == "1.1"
        assert "\t3\n" in awake.run("dpkg-query -W toolsync-archive-keyring")
        assert updated(awake) == "1.1"  # by the file that has the new key alone

        said = asleep.run("apt-get update -q", ok=False)
        assert "NO_PUBKEY" in said or "Missing key" in said  # gpgv's words, or sqv's
        asleep.run("apt-get upgrade -q -y", ok=False)
        assert asleep.run("hello") == "1.0\n"  # nothing of a key that it does not know
        asleep.add_archive(stanza())
        assert updated(asleep) == "1.1"

        awake.run("apt-get remove -q -y toolsync-archive-keyring")
        assert "BEGIN PGP" in (awake.root / LIST).read_text()
        assert updated(awake) == "1.1"
