"""The gateways: files whole or not at all, programs bounded, one run at a time."""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.support.rig import environment
from toolsync.model.errors import (
    BUG,
    LATER,
    Busy,
    OutOfSpace,
    ProgramFailed,
    ProgramMissing,
    SetupError,
    unforeseen,
)
from toolsync.model.release import Blob
from toolsync.system.lock import end_survivors, exclusive
from toolsync.system.run import MARK, run
from toolsync.system.store import Store, replace_file
from toolsync.system.work import Workshop


def files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


class TestStore:
    def test_a_file_is_known_by_its_content(self, tmp_path: Path) -> None:
        store = Store(tmp_path)
        blob = store.add_bytes(b"data", "name")
        assert blob == Blob(name="name", sha256=hashlib.sha256(b"data").hexdigest(), size=4)
        assert store.path(blob).read_bytes() == b"data"
        assert store.has(blob)

    def test_an_error_while_writing_leaves_nothing(self, tmp_path: Path) -> None:
        store = Store(tmp_path)
        with pytest.raises(TypeError), store.writing("x") as sink:
            sink.write("half, and no bytes")  # type: ignore[arg-type]
        assert files(tmp_path) == []

    def test_a_file_cut_short_on_disk_is_not_had(self, tmp_path: Path) -> None:
        store = Store(tmp_path)
        blob = store.add_bytes(b"data", "x")
        store.path(blob).write_bytes(b"da")
        assert not store.has(blob)

    def test_a_full_disk_is_told_and_nothing_is_left(self, tmp_path: Path) -> None:
        store = Store(Path("/dev/full/store"))
        with pytest.raises((SetupError, NotADirectoryError)):
            store.add_bytes(b"x", "x")

    def test_a_blob_cannot_name_a_path(self, tmp_path: Path) -> None:
        store = Store(tmp_path)
        blob = store.add_bytes(b"x", "../../evil")
        with pytest.raises(SetupError, match="cannot be a file's name"):
            store.copy_to(blob, tmp_path)

    def test_replacing_says_whether_anything_changed(self, tmp_path: Path) -> None:
        path = tmp_path / "deep" / "file"
        assert replace_file(path, b"1")
        assert not replace_file(path, b"1")
        assert replace_file(path, b"2")
        assert files(tmp_path) == [path]


def test_no_room_on_the_disk_is_its_own_error(tmp_path: Path) -> None:
    """A real full disk: a file size limit gives EFBIG, so a tiny tmpfs in a namespace is used."""
    code = (
        "import sys\nfrom pathlib import Path\nfrom toolsync.system.store import Store\n"
        "from toolsync.model.errors import OutOfSpace\n"
        f"root = Path({str(tmp_path)!r})\n"
        "try:\n    Store(root).add_bytes(b'x' * 2_000_000, 'big')\n"
        "except OutOfSpace as error:\n"
        "    left = [p for p in root.rglob('*') if p.is_file()]\n"
        "    print(error, left)\n"
    )
    script = f'mount -t tmpfs -o size=1m none {tmp_path} && exec {sys.executable} -c "$CODE"'
    done = subprocess.run(
        ["unshare", "--map-root-user", "--mount", "sh", "-c", script],
        env=environment() | {"CODE": code},
        capture_output=True,
        text=True,
    )
    assert "is full" in done.stdout, done.stderr
    assert done.stdout.rstrip().endswith("[]")
    assert issubclass(OutOfSpace, Exception)


class TestRun:
    def test_output_and_status_come_back(self) -> None:
        done = run("sh", "-c", "echo out; echo err >&2; exit 3", timeout=10, ok=(3,))
        assert (done.code, done.out, done.err) == (3, "out\n", "err\n")

    def test_an_unexpected_status_says_found_and_wanted(self) -> None:
        with pytest.raises(ProgramFailed, match=r"sh ended with status 7, wanted 0:\noh no"):
            run("sh", "-c", "echo oh no >&2; exit 7", timeout=10)

    def test_a_missing_program_names_its_package(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("PATH", "/nonexistent")
        with pytest.raises(ProgramMissing) as caught:
            run("reprepro", timeout=1)
        assert "apt install" in caught.value.resolution

    def test_what_takes_too_long_is_ended_with_its_children(self, tmp_path: Path) -> None:
        mark = tmp_path / "late"
        with pytest.raises(ProgramFailed, match="stopped after 1 s"):
            run("sh", "-c", f"(sleep 2; touch {mark}) & sleep 60", timeout=1)
        time.sleep(2.2)
        assert not mark.exists()

    def test_a_flood_is_ended(self) -> None:
        with pytest.raises(ProgramFailed, match="more than 1000 bytes"):
            run("sh", "-c", "yes", timeout=30, limit=1000)

    def test_there_is_no_stdin_and_one_locale(self) -> None:
        done = run("sh", "-c", "cat; echo $LC_ALL", timeout=5)
        assert done.out == "C.UTF-8\n"


class TestLock:
    def test_the_second_is_told_who_holds_it(self, tmp_path: Path) -> None:
        with exclusive(tmp_path, "sync"):
            code = (
                "from pathlib import Path\nfrom toolsync.system.lock import exclusive\n"
                f"with exclusive(Path({str(tmp_path)!r}), 'sync'): pass\n"
            )
            done = subprocess.run(
                [sys.executable, "-c", code], env=environment(), capture_output=True, text=True
            )
        assert f"process {os.getpid()} (toolsync sync) holds" in done.stderr
        with exclusive(tmp_path, "sync"):
            pass  # and it is free again

    def test_busy_is_try_again(self) -> None:
        assert Busy("x").exit_status == 4

    def test_what_a_killed_run_started_is_ended_first(self, tmp_path: Path) -> None:
        left = subprocess.Popen(["sleep", "60"], env={**os.environ, MARK: str(tmp_path)})
        other = subprocess.Popen(["sleep", "60"], env={**os.environ, MARK: "/another/state"})
        try:
            assert end_survivors(tmp_path) >= 1
            assert left.wait(5) == -signal.SIGKILL
            assert other.poll() is None
        finally:
            other.kill()
            other.wait()


class TestWorkshop:
    def test_a_folder_goes_with_its_block(self, tmp_path: Path) -> None:
        shop = Workshop(tmp_path, str(tmp_path / "work"))
        with shop.folder("x") as folder:
            (folder / "file").write_text("x")
        assert list(shop.root.iterdir()) == []

    def test_what_was_left_is_swept(self, tmp_path: Path) -> None:
        shop = Workshop(tmp_path, str(tmp_path / "work"))
        (shop.root / "left" / "deep").mkdir(parents=True)
        (shop.root / "link").symlink_to(tmp_path)
        shop.sweep()
        assert list(shop.root.iterdir()) == []
        assert tmp_path.exists()

    def test_what_lies_beside_it_is_left_alone(self, tmp_path: Path) -> None:
        (tmp_path / "work").mkdir()
        (tmp_path / "work" / "precious").write_text("x")
        shop = Workshop(tmp_path / "state", tmp_path / "work")
        with shop.folder("x"):
            pass
        shop.sweep()
        assert (tmp_path / "work" / "precious").exists()

    def test_a_folder_of_somebody_else_is_refused(self, tmp_path: Path) -> None:
        shop = Workshop(tmp_path, str(tmp_path / "work"))
        shop.root.parent.mkdir()
        shop.root.symlink_to(tmp_path)
        with pytest.raises(SetupError, match="belongs to somebody else"), shop.folder("x"):
            pass


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EIO])
def test_a_disk_that_fails_is_no_bug_of_ours(number: int) -> None:
    plain = OSError(number, os.strerror(number), "/archive/dists")
    many = shutil.Error([("a", "b", str(plain)), ("c", "d", "else")])
    for error in (plain, many):
        told = unforeseen(error)
        assert told.exit_status == LATER
        assert os.strerror(number) in str(told)
        assert told.resolution


def test_what_nobody_foresaw_is_a_bug() -> None:
    for error in (KeyError("x"), OSError(errno.EBADF, "odd"), shutil.Error([("a", "b", "odd")])):
        assert unforeseen(error).exit_status == BUG
        assert "a bug of ours" in str(unforeseen(error))
