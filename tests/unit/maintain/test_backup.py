"""Backups as somebody else wrote them, folders elsewhere, kills, and root that is not the owner."""

from __future__ import annotations

import hashlib
import io
import json
import os
import pwd
import shutil
import signal
import subprocess
import tarfile
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.servers.web import Web
from tests.support import tiny
from tests.support.rig import Rig, environment
from toolsync.maintain.restore import restore_backup
from toolsync.model.errors import Hostile
from toolsync.system.lock import UNFINISHED, exclusive


def forged(
    files: Mapping[str, bytes],
    links: object = None,
    *,
    rows: Mapping[str, Any] | None = None,
    head: bytes = b"",
) -> bytes:
    """Return a backup that is right in all but what the test wants wrong."""
    known = {
        name: {"sha256": hashlib.sha256(data).hexdigest(), "size": len(data), "mode": 0o4777}
        for name, data in files.items()
    }
    manifest = {"form": 1, "made": "now", "files": {**known, **(rows or {})}, "links": links or {}}
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for name, data in {"manifest.json": head or json.dumps(manifest).encode(), **files}.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return out.getvalue()


def sparse() -> bytes:
    """Return a backup in which a few bytes stand for a file of a terabyte."""
    out = io.BytesIO(forged({}, rows={"big": {"sha256": "", "size": 1 << 40, "mode": 0o600}}))
    with tarfile.open(fileobj=out, mode="a") as tar:
        info = tarfile.TarInfo("big")
        info.size = 512
        said = {"major": "1", "minor": "0", "name": "big", "realsize": str(1 << 40)}
        info.pax_headers = {f"GNU.sparse.{key}": value for key, value in said.items()}
        tar.addfile(info, io.BytesIO(b"0\n".ljust(512, b"\0")))
    return out.getvalue()


ATTACKS = {
    "a way out": forged({"../x": b"x"}),
    "from the root": forged({"/tmp/toolsync-was-here": b"x"}),
    "a link out": forged({}, {"l": "/etc"}),
    "a link up": forged({}, {"a/l": "../../x"}),
    "a link by way of another": forged(
        {"d/f": b"", "a/b/c/f": b""}, {"a/b/c/x": "../../../d", "y": "a/b/c/x/../.."}
    ),
    "a file behind a link": forged({"d/f": b""}, {"y": "d", "y/g": "f", "d/g": "f"}),
    "links in a ring": forged({}, {"a": "b", "b": "a"}),
    "a file below a file": forged({"a": b"1", "a/b": b"2"}),
    "two in one place": forged({"a/b": b"1", "a//b": b"2"}),
    "links that are a list": forged({}, [["a", "b"]]),
    "a row that is none": forged({"a": b""}, rows={"a": 7}),
    "another size": forged({"a": b"1"}, rows={"a": {"sha256": "", "size": 7, "mode": 0}}),
    "no folder": forged({UNFINISHED + "/x": b""}),
    "the lock": forged({"lock": b""}),
    "nothing": b"",
    "a deep manifest": forged({}, head=b"[" * 200_000),
    "a file of a terabyte": sparse(),
}  # fmt: skip


@pytest.mark.parametrize("attack", ATTACKS)
def test_a_hostile_backup_restores_nothing(attack: str, tmp_path: Path) -> None:
    """Each is refused as damaged, at once, and nothing is left of it anywhere."""
    state, archive = tmp_path / "a" / "state", tmp_path / "a" / "srv"
    (tmp_path / "a").mkdir()
    with pytest.raises(Hostile, match="is damaged"):
        restore_backup(io.BytesIO(ATTACKS[attack]), "backup.tar", state, archive)
    assert list(tmp_path.rglob("*")) == [tmp_path / "a"]
    assert not Path("/tmp/toolsync-was-here").exists()


SECRETS = {
    "gnupg/private-keys-v1.d/k": b"key" * 9000,
    "launchpad/token": b"token",
    "journal.sqlite": b"journal",
    "store/sha256/ab/abcd": b"blob",
}
SERVED = {"archive/dists/x/InRelease": b"index", "archive/pool/p.deb": b"deb", "page/i.html": b"i"}
"""All stated with set-uid, and open to everybody."""


class Watching(io.BytesIO):
    """A backup that looks at what is restored so far whenever more of it is read."""

    root: Path
    looks = 0

    def read(self, size: int | None = -1) -> bytes:
        """Return at most 512 bytes, so that it is asked often."""
        for path in self.root.rglob("*"):
            closed = UNFINISHED in path.parts or path.name == "lock"
            assert not closed or path.is_symlink() or path.lstat().st_mode & 0o7077 == 0, path
            self.looks += closed
        return super().read(512 if size is None or size < 0 else min(size, 512))


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077])
@pytest.mark.parametrize("apart", [False, True])
def test_what_is_restored_is_private_from_its_first_byte(
    tmp_path: Path, umask: int, apart: bool
) -> None:
    """Whatever the umask is, and whatever modes a tampered backup states."""
    state = tmp_path / "s"
    archive = tmp_path / "srv" / "apt" if apart else state / "archive"
    source = Watching(forged({**SECRETS, **SERVED}, {"archive/current": "dists"}))
    source.root = tmp_path
    before = os.umask(umask)
    try:
        restore_backup(source, "b", state, archive, (state / "page",))
    finally:
        os.umask(before)
    assert source.looks > 100
    for name in SECRETS:
        path = state / name
        assert path.stat().st_mode & 0o7777 == 0o600, name
        for folder in (p for p in path.parents if state in p.parents):
            assert folder.stat().st_mode & 0o7777 == 0o700, folder
    for name in SERVED:
        path = archive / name.removeprefix("archive/") if apart else state / name
        path = path if path.exists() else state / name
        assert path.stat().st_mode & 0o7777 == 0o644, name
        for folder in (p for p in path.parents if tmp_path in p.parents):
            assert folder.stat().st_mode & 0o7777 == 0o755, folder


def test_a_link_to_the_keys_in_the_place_of_the_archive_opens_none(tmp_path: Path) -> None:
    state = tmp_path / "s"
    source = io.BytesIO(forged({"gnupg/k": b""}, {"archive": "gnupg", "page": "gnupg"}))
    restore_backup(source, "b", state, state / "archive", (state / "page",))
    assert (state / "gnupg").stat().st_mode & 0o7777 == 0o700
    assert (state / "gnupg" / "k").stat().st_mode & 0o7777 == 0o600


@pytest.mark.slow
def test_an_archive_elsewhere_is_kept_and_goes_back_there(
    rig: Rig, web: Web, tmp_path: Path
) -> None:
    tiny.publish(web, "1.0")
    tiny.write_tool(rig.tools, web.url + "/dl/", "1.0")
    rig.archive = tmp_path / "srv" / "apt"
    rig.configure(rig.settings + f'[local]\npath = "{rig.archive}"\n')
    rig.run("sync", "hello")
    (rig.state / "launchpad").mkdir()
    token = rig.state / "launchpad" / "token"
    token.write_text("secret")
    token.chmod(0o600)
    pool, file = rig.pool(), tmp_path / "backup.tar"
    for inside in (rig.state / "b.tar", rig.archive / "b.tar"):
        assert "is to be kept" in rig.run("backup", inside, status=2).stderr
    rig.run("backup", file)
    with tarfile.open(file) as tar:
        assert not any("S.gpg" in name or name.startswith("store/tmp") for name in tar.getnames())
    shutil.rmtree(rig.state)
    assert f"{rig.archive} is not empty" in rig.run("restore", file, status=2).stderr
    assert not rig.state.exists()
    shutil.rmtree(rig.archive)
    rig.archive.mkdir()
    rig.run("restore", file)
    assert rig.pool() == pool
    assert not (rig.state / "archive").exists()
    assert (token.read_text(), token.stat().st_mode & 0o777) == ("secret", 0o600)
    assert rig.json("sync", "hello")[0]["status"] == "up-to-date"
    rig.run("archive", "sources")


def test_what_would_not_be_in_it_is_told(rig: Rig, tmp_path: Path) -> None:
    rig.run("status")
    assert "is no folder" in rig.run("backup", tmp_path / "none" / "b", status=2).stderr
    (tmp_path / "elsewhere").mkdir()
    (rig.state / "store").symlink_to(tmp_path / "elsewhere")
    assert "would not hold what is there" in rig.run("backup", tmp_path / "b", status=5).stderr
    assert not (tmp_path / "b").exists()


def test_a_restore_that_was_killed_is_told_of_and_begun_anew(rig: Rig, tmp_path: Path) -> None:
    file = tmp_path / "backup.tar"
    rig.run("status")
    rig.run("backup", file)
    shutil.rmtree(rig.state)
    (rig.state / UNFINISHED / "store").mkdir(parents=True)  # killed between two of its moves
    (rig.state / "gnupg").mkdir()
    assert "was not restored" in rig.run("run", status=5).stderr
    assert not (rig.state / "journal.sqlite").exists()
    rig.run("restore", file)
    rig.run("status")
    assert not (rig.state / "gnupg").exists()


def test_a_killed_restore_leaves_what_the_next_one_can_take(rig: Rig, tmp_path: Path) -> None:
    """Killed for real, while it waits for the rest of what comes by a pipe."""
    file = tmp_path / "backup.tar"
    rig.run("status")
    with file.open("wb") as out:
        subprocess.run(rig.argv("backup", "-"), stdout=out, env=environment(), check=True)
    shutil.rmtree(rig.state)
    process = subprocess.Popen(rig.argv("restore", "-"), stdin=subprocess.PIPE, env=environment())
    assert process.stdin is not None
    process.stdin.write(file.read_bytes()[:2048])
    process.stdin.flush()
    deadline = time.monotonic() + 60
    while not (rig.state / UNFINISHED).exists() and time.monotonic() < deadline:
        time.sleep(0.01)
    assert "toolsync restore" in rig.run("restore", file, status=4).stderr
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdin.close()
    rig.run("restore", file)
    rig.run("status")


def test_neither_begins_beside_another(rig: Rig, tmp_path: Path) -> None:
    rig.run("status")
    with exclusive(rig.state, "run"):
        for words in (("backup", tmp_path / "b"), ("gc",), ("gc", "--dry-run")):
            assert "toolsync run" in rig.run(*words, status=4).stderr


def test_root_restores_as_the_states_owner() -> None:
    """Else the service could not read its own state. The owner may not read root's file."""
    if os.geteuid() != 0:
        pytest.skip("only root can become somebody else")
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        rig, file = Rig(Path(folder) / "rig"), Path(folder) / "backup.tar"
        rig.run("status")
        rig.run("backup", file)
        shutil.rmtree(rig.state)
        rig.state.mkdir()
        os.chown(rig.state, pwd.getpwnam("nobody").pw_uid, -1)
        rig.run("restore", file)
        assert (rig.state / "journal.sqlite").exists()
        assert {path.owner() for path in rig.state.rglob("*")} == {"nobody"}
