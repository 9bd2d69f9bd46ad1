"""Who may read a file by its mode: what is said of another user is what the kernel does."""

from __future__ import annotations

import os
import pwd
import subprocess
from pathlib import Path

import pytest

from toolsync.system.reader import NOBODY, Reader, pages_reader

USER = "www-data"
root = pytest.mark.skipif(os.geteuid() != 0, reason="only root has other users")


@pytest.fixture
def place(tmp_path: Path) -> Path:
    for folder in (tmp_path, *tmp_path.parents):
        if folder.stat().st_uid == os.geteuid() and folder.stat().st_mode & 0o77 == 0:
            folder.chmod(0o711)
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "file").write_text("s3cret\n")
    return tmp_path


@root
@pytest.mark.parametrize("owner", [0, pwd.getpwnam(USER).pw_uid])
@pytest.mark.parametrize("group", [0, pwd.getpwnam(USER).pw_gid, 65534])
@pytest.mark.parametrize("mode", [0o600, 0o640, 0o604, 0o040, 0o004])
@pytest.mark.parametrize("above", [0o711, 0o700])
def test_the_kernel_says_the_same(
    place: Path, owner: int, group: int, mode: int, above: int
) -> None:
    user, file = pwd.getpwnam(USER), place / "folder" / "file"
    os.chown(file, owner, group)
    file.chmod(mode)
    file.parent.chmod(above)
    words = ["setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--groups=65534"]
    done = subprocess.run([*words, "cat", file], capture_output=True)
    reader = Reader(uid=user.pw_uid, gids={user.pw_gid, 65534})
    assert reader.reads(file) is (done.returncode == 0)


def test_nobody_but_its_owner_reads_a_state_that_does_not_say_so(place: Path) -> None:
    place.chmod(0o755)
    assert pages_reader(place, USER) is None
    place.chmod(0o2755)
    user = pwd.getpwnam(USER)
    assert pages_reader(place, USER) == Reader(
        uid=user.pw_uid, gids=frozenset({user.pw_gid, place.stat().st_gid})
    )
    gone = Reader(uid=NOBODY, gids=frozenset({place.stat().st_gid}))
    assert pages_reader(place, "no-such-user") == gone


def test_a_link_is_read_where_it_leads(place: Path) -> None:
    link, file = place / "link", place / "folder" / "file"
    link.symlink_to(file)
    file.chmod(0o604)
    reader = Reader(uid=NOBODY, gids=())
    assert reader.reads(link)
    file.parent.chmod(0o700)
    assert not reader.reads(link)
