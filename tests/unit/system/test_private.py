"""Secrets are private from their first byte, whatever the umask; strangers take and block nothing.

The stranger is the user nobody, so these tests are root's; others skip them.
"""

from __future__ import annotations

import fcntl
import os
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from toolsync.journal.sqlite import SqliteDatabase
from toolsync.model.errors import Busy, SetupError
from toolsync.system.gpg import SigningHome
from toolsync.system.lock import archive_held, exclusive
from toolsync.system.private import open_private, own_folder, private_folder
from toolsync.system.store import Store, replace_file
from toolsync.system.work import Workshop

NOBODY = 65534
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can act as a stranger")
UMASKS = (0o000, 0o022, 0o077)


def test_a_group_reads_what_is_kept_where_its_folder_says_so(tmp_path: Path) -> None:
    state = tmp_path / "state"
    state.mkdir(mode=0o755)
    store = Store(state / "store")
    blob = store.add_bytes(b"a report", "report.txt")

    def modes() -> set[int]:
        kept = store.path(blob)
        return {stat.S_IMODE(p.stat().st_mode) for p in (kept, kept.parent, state / "store")}

    assert modes() == {0o600, 0o700}
    state.chmod(0o2755)
    blob = store.add_bytes(b"another report", "report.txt")
    assert modes() == {0o640, 0o750}
    SqliteDatabase(state / "journal.db").close()
    assert stat.S_IMODE((state / "journal.db").stat().st_mode) == 0o640
    private_folder(state / "gnupg")
    with exclusive(state, "test"):
        pass
    for name in ("gnupg", "lock"):
        assert (state / name).stat().st_mode & 0o077 == 0  # whatever the bit says
    state.chmod(0o755)
    store.add_bytes(b"another", "another.txt")
    assert stat.S_IMODE((state / "store").stat().st_mode) == 0o700


@pytest.fixture
def open_place() -> Iterator[Path]:
    """A folder that everybody may write to, as /var/tmp is."""
    with tempfile.TemporaryDirectory(dir="/var/tmp") as folder:
        Path(folder).chmod(0o1777)
        yield Path(folder)


@contextmanager
def masked(umask: int) -> Iterator[None]:
    before = os.umask(umask)
    try:
        yield
    finally:
        os.umask(before)


def stranger(program: str, *words: str | Path) -> subprocess.Popen[str]:
    """Start a program of Python as nobody; it prints a line when it has done its worst."""
    become = ("setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups")
    process = subprocess.Popen(
        [*become, sys.executable, "-I", "-c", program, *map(str, words)],
        stdout=subprocess.PIPE,
        stdin=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "done\n"
    return process


HOLDING = """
import fcntl, os, sys
for path in sys.argv[1:]:
    try:
        fd = os.open(path, os.O_RDONLY)
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        assert error.errno == 13, error
print("done", flush=True)
sys.stdin.read()
"""

TAKING = """
import os, sys
for path in sys.argv[1:]:
    os.makedirs(path, exist_ok=True)
    os.chmod(path, 0o777)
print("done", flush=True)
"""


def modes(root: Path) -> dict[str, str]:
    paths = (root, *root.rglob("*"))
    return {str(p.relative_to(root)): oct(stat.S_IMODE(p.lstat().st_mode)) for p in paths}


def filled(state: Path) -> None:
    """Put something of each kind into a state folder."""
    with exclusive(state, "test"), archive_held(state / "archive"):
        Store(state / "store").add_bytes(b"x", "x")
        Store(state / "store").partial("y").touch(0o600)
        SqliteDatabase(state / "journal.sqlite").close()
        SigningHome(state / "gnupg").ensure_key("Somebody <somebody@example.org>")
        replace_file(state / "archive" / "conf" / "distributions", b"")
        with Workshop(state, state.parent / "work").folder("test"):
            pass


def test_no_umask_changes_the_modes_of_a_state(tmp_path: Path) -> None:
    seen = []
    for umask in UMASKS:
        root = tmp_path / oct(umask)
        root.mkdir()
        with masked(umask):
            filled(root / "state")
        seen.append({k: v for k, v in modes(root / "state").items() if "private-keys" not in k})
        secret = ("lock", "journal.sqlite", "store", "gnupg")
        assert {seen[-1][name][-2:] for name in secret} == {"00"}
        assert seen[-1]["archive"] == seen[-1]["archive/conf"] == "0o755"
        (work,) = (root / "work").iterdir()
        assert stat.S_IMODE(work.stat().st_mode) == 0o755
    names = [sorted(name for name in one if "openpgp-revocs.d/" not in name) for one in seen]
    assert [[one[name] for name in found] for one, found in zip(seen, names, strict=True)][1:] == [
        [seen[0][name] for name in names[0]]
    ] * 2


@as_root
def test_a_stranger_holds_no_lock_and_blocks_no_key(open_place: Path) -> None:
    state = open_place / "state"
    with exclusive(state, "test"), archive_held(state / "archive"):
        SqliteDatabase(state / "journal.sqlite").close()
        Store(state / "store").scratch()
    locks = (state / "lock", state / "archive" / "conf" / "lock", state / "journal.sqlite")
    process = stranger(HOLDING, state, state / "store", *locks)  # the folder it can hold
    try:
        with exclusive(state, "test"), archive_held(state / "archive"):
            assert SigningHome(state / "gnupg").ensure_key("A <a@example.org>")
            SqliteDatabase(state / "journal.sqlite").write("PRAGMA user_version = 99")
    finally:
        process.communicate()


@as_root
def test_a_lock_that_a_stranger_holds_already_is_replaced(open_place: Path) -> None:
    """One of an older toolsync, which others may read."""
    state = open_place / "state"
    with exclusive(state, "test"):
        pass
    (state / "lock").chmod(0o644)
    process = stranger(HOLDING, state / "lock")
    try:
        with exclusive(state, "test"):
            assert stat.S_IMODE((state / "lock").stat().st_mode) == 0o600
            with pytest.raises(Busy, match=f"process {os.getpid()} "), exclusive(state, "test"):
                pass
    finally:
        process.communicate()
    assert [p.name for p in state.iterdir()] == ["lock"]


def test_an_open_lock_that_our_own_process_holds_counts(tmp_path: Path) -> None:
    with exclusive(tmp_path, "test"):
        pass
    lock = tmp_path / "lock"
    lock.chmod(0o644)
    with lock.open("a") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        handle.write(f"process {os.getpid()} (toolsync sync)\n")
        handle.flush()
        with pytest.raises(Busy, match=f"process {os.getpid()} "), exclusive(tmp_path, "test"):
            pass
    with exclusive(tmp_path, "test"):
        assert stat.S_IMODE(lock.stat().st_mode) == 0o600


@as_root
@pytest.mark.parametrize("kind", ["file", "link", "pipe"])
def test_what_lies_in_the_place_of_the_lock_is_never_followed(tmp_path: Path, kind: str) -> None:
    victim, lock = tmp_path / "victim", tmp_path / "lock"
    victim.write_text("kept")
    if kind == "link":
        lock.symlink_to(victim)
    elif kind == "pipe":
        os.mkfifo(lock)
    else:
        lock.write_text("a stranger's")
        os.chown(lock, NOBODY, NOBODY)
    with exclusive(tmp_path, "test"):
        assert lock.is_file()
        assert not lock.is_symlink()
        assert lock.stat().st_uid == os.geteuid()
    assert victim.read_text() == "kept"


def test_a_folder_in_the_place_of_the_lock_is_told(tmp_path: Path) -> None:
    (tmp_path / "lock").mkdir()
    with pytest.raises(SetupError, match="lock is not what it is to be"):
        exclusive(tmp_path, "test").__enter__()


@as_root
def test_a_work_folder_is_not_to_be_guessed_and_not_to_be_blocked(open_place: Path) -> None:
    state = open_place / "state"
    stem = Workshop(state, open_place).root.name.rpartition("-")[0]
    names = [open_place / name for name in (stem, *(f"{stem}-{n:010x}" for n in range(50)))]
    stranger(TAKING, *names).communicate()
    (open_place / f"{stem}-link").symlink_to(tmp := private_folder(open_place / "ours"))
    workshop = Workshop(state, open_place)
    with workshop.folder("test") as folder:
        assert folder.parent.stat().st_uid == os.geteuid()
        assert stat.S_IMODE(folder.parent.stat().st_mode) == 0o755
        assert Workshop(state, open_place).root == workshop.root  # found again, to be swept
        (folder / "left").touch()
    assert not any(tmp.iterdir())
    with Workshop(open_place / "other", open_place).folder("test") as other:
        assert other.parent != workshop.root


@as_root
def test_a_chroot_folder_of_a_stranger_is_passed_by(open_place: Path) -> None:
    stranger(TAKING, open_place / "chroots").communicate()
    ours = own_folder(open_place, "chroots")
    assert ours.name.startswith("chroots-")
    assert not ours.exists()
    loose = open_place / "chroots-0"
    loose.mkdir()
    loose.chmod(0o775)
    assert own_folder(open_place, "chroots") not in (loose, open_place / "chroots")


def test_a_place_that_others_rename_in_is_refused(open_place: Path) -> None:
    open_place.chmod(0o777)
    with (
        pytest.raises(SetupError, match="others may write to"),
        Workshop(open_place / "state", open_place).folder("test"),
    ):
        pass


@as_root
def test_a_state_of_somebody_else_is_not_used(open_place: Path) -> None:
    state = open_place / "state"
    stranger(TAKING, state).communicate()
    with pytest.raises(SetupError, match=f"belongs to user {NOBODY}"):
        exclusive(state, "test").__enter__()
    with pytest.raises(SetupError, match=f"belongs to user {NOBODY}"):
        SqliteDatabase(state / "journal.sqlite")
    assert not any(state.iterdir())


def test_what_was_open_is_closed(tmp_path: Path) -> None:
    """States that an older toolsync made under a careless umask."""
    with masked(0):
        state = tmp_path / "state"
        for folder in (state, state / "store", state / "store" / "sha256"):
            folder.mkdir()
        SqliteDatabase(state / "journal.sqlite").close()
        (state / "journal.sqlite").chmod(0o666)
    SqliteDatabase(state / "journal.sqlite").close()
    Store(state / "store").add_bytes(b"x", "x")
    found = modes(state)
    assert found["journal.sqlite"] == "0o600"
    assert found["store"] == found["store/sha256"] == "0o700"
    assert found["."] == "0o775"  # a group may be meant; strangers never are


def test_a_link_in_the_place_of_a_secret_is_refused(tmp_path: Path) -> None:
    (tmp_path / "victim").write_text("kept")
    (tmp_path / "secret").symlink_to(tmp_path / "victim")
    with pytest.raises(SetupError, match="no link"):
        open_private(tmp_path / "secret")
    (tmp_path / "folder").symlink_to(tmp_path, target_is_directory=True)
    with pytest.raises(SetupError, match="no link"):
        private_folder(tmp_path / "folder")
    assert (tmp_path / "victim").read_text() == "kept"
