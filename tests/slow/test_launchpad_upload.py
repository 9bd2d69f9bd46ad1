"""Launchpad's own upload server, over FTP and SFTP, in front of the Launchpad of the tests."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.servers.launchpad import LaunchpadServer
from tests.servers.upload import UploadServer, make_ssh_key
from tests.support.keys import Keys, throwaway_keys
from tests.support.uploads import PLACE, write_upload

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("uploadserver")]


@dataclass(frozen=True)
class Client:
    """Somebody who uploads, with dput over FTP or with sftp."""

    server: UploadServer
    keys: Keys
    signer: str
    folder: Path

    def new(self, upstream: str) -> Path:
        """Write an upload of its own name and return its .changes file."""
        version = f"{upstream}-0ubuntu1~ppa1~ubuntu24.04.1"
        return write_upload(self.folder / upstream, self.keys, self.signer, version=version)

    def dput(self, changes: Path) -> subprocess.Popen[bytes]:
        """Start to upload over FTP."""
        config = self.folder / "dput.cf"
        config.write_text(
            f"[launchpad]\nfqdn = 127.0.0.1:{self.server.ftp_port}\nmethod = ftp\n"
            f"incoming = {PLACE}/\nlogin = anonymous\nallow_unsigned_uploads = 0\n"
        )
        return self._start("dput", "-U", "-c", config, "launchpad", changes)

    def sftp(self, changes: Path, login: str = "maker") -> subprocess.Popen[bytes]:
        """Start to upload over SFTP."""
        batch = self.folder / "batch"
        files = sorted(changes.parent.iterdir(), key=lambda p: p.suffix == ".changes")
        batch.write_text("".join(f"put {path} ./{PLACE}/{path.name}\n" for path in files))
        options = {
            "IdentityFile": self.folder / "id",
            "IdentitiesOnly": "yes",
            "UserKnownHostsFile": self.server.known_hosts,
            "StrictHostKeyChecking": "yes",
        }
        words = [f"-o{name}={value}" for name, value in options.items()]
        where = ("-P", str(self.server.sftp_port), f"{login}@127.0.0.1")
        return self._start("sftp", "-F", "none", "-b", batch, *words, *where)

    def upload(self, way: str, changes: Path) -> int:
        """Upload by ``dput`` or ``sftp`` and return the exit status."""
        with getattr(self, way)(changes) as process:
            return int(process.wait(60))

    def _start(self, *words: str | Path) -> subprocess.Popen[bytes]:
        env = os.environ | {"GNUPGHOME": str(self.keys.home), "HOME": str(self.folder)}
        quiet = subprocess.DEVNULL
        return subprocess.Popen(words, stdin=quiet, stdout=quiet, stderr=quiet, env=env)

    def arrived(self, before: int) -> list[str]:
        """Return the names of the files of the one session since ``before`` sessions."""
        sessions = self.server.sessions(count=before + 1)
        assert len(sessions) == before + 1
        return sorted(path.name for path in sessions[-1].rglob("*") if path.is_file())


def orig_of(changes: Path) -> Path:
    return next(changes.parent.glob("*.orig.tar.xz"))


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    folder = tmp_path_factory.mktemp("upload")
    with throwaway_keys() as keys, UploadServer(folder / "server") as server:
        server.add_person("maker", make_ssh_key(folder / "id"))
        signer = keys.make("maker")
        keys.export(folder / "maker.asc", signer)
        yield Client(server, keys, signer, folder)


@pytest.mark.parametrize("way", ["dput", "sftp"])
def test_what_is_uploaded_is_accepted_by_launchpad(client: Client, way: str) -> None:
    with LaunchpadServer(client.server.incoming) as launchpad:
        launchpad.add_person("maker", client.folder / "maker.asc")
        ppa = launchpad.add_ppa("maker", "stable")
        before = len(client.server.sessions())
        changes = client.new({"dput": "1.0", "sftp": "1.1"}[way])
        assert client.upload(way, changes) == 0
        client.server.sessions(count=before + 1)
        launchpad.tick(minutes=6)
        assert changes.name in [pub.source.changes_name for pub in ppa.sources]
        assert not launchpad.dropped


def test_nobody_unknown_comes_in_over_sftp(client: Client) -> None:
    with client.sftp(client.new("1.2"), login="other") as process:
        assert process.wait(60) > 0


@pytest.mark.parametrize("way", ["dput", "sftp"])
@pytest.mark.parametrize(
    ("fault", "fails", "whole"),
    [
        ("refuse", True, False),
        ("no-folder", True, False),
        ("cut", True, False),
        ("lie-failed", True, True),
        ("lie-stored", False, False),
    ],
)
def test_faults_are_as_users_have_met_them(
    client: Client, way: str, fault: str, fails: bool, whole: bool
) -> None:
    """Whether the client is told, and whether Launchpad gets it all, are two things."""
    changes = client.new(f"2.{fault}.{way}")
    sent = sorted(path.name for path in changes.parent.iterdir())
    before = len(client.server.sessions())
    client.server.fault(fault, when="_source.changes" if fault != "cut" else "orig")
    assert (client.upload(way, changes) != 0) == fails
    arrived = client.arrived(before)
    assert (arrived == sent) == whole
    assert (changes.name in arrived) == whole
    if fault == "cut":
        orig = next(path for path in client.server.sessions()[-1].rglob("*.orig.tar.xz"))
        assert 0 < orig.stat().st_size < orig_of(changes).stat().st_size
    assert client.upload("dput", client.new(f"3.{fault}.{way}")) == 0


@pytest.mark.parametrize("way", ["dput", "sftp"])
def test_a_hanging_server_must_be_left(client: Client, way: str) -> None:
    changes = client.new(f"4.{way}")
    before = len(client.server.sessions())
    client.server.fault("hang", when="_source.changes")
    with getattr(client, way)(changes) as process:
        partial = client.server.folder / "partial"
        while len([p for p in partial.rglob("tiny_*") if p.stat().st_size]) < 3:
            assert process.poll() is None
            time.sleep(0.02)  # all but the .changes
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(0.5)
        process.kill()
    assert changes.name not in client.arrived(before)
