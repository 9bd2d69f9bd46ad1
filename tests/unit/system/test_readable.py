"""What a group reads of a state stays readable, whoever writes there by older rules."""

from __future__ import annotations

import os
import stat
import time
from pathlib import Path

import pytest

from toolsync.system.readable import Readable
from toolsync.system.store import Store

SHOWN = ("store", "store/sha256", "store/sha256/ab", "changes")


@pytest.fixture
def state(tmp_path: Path) -> Path:
    """Give a state as an older toolsync leaves it: its owner's alone."""
    for folder in (tmp_path, *(tmp_path / name for name in (*SHOWN, "gnupg"))):
        folder.mkdir(mode=0o700, exist_ok=True)
        file = folder / "file"
        file.write_text("kept\n")
        file.chmod(0o600)
    for ending in ("", "-wal", "-shm"):
        file = tmp_path / f"journal.sqlite{ending}"
        file.touch(mode=0o600)
    tmp_path.chmod(0o2755)
    return tmp_path


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def readable(state: Path) -> Readable:
    return Readable(state, state / "journal.sqlite")


def test_what_pages_show_is_opened_and_nothing_else(state: Path) -> None:
    readable(state).let()
    assert {mode(state / name) for name in SHOWN} == {0o750}
    assert {mode(state / name / "file") for name in SHOWN} == {0o640}
    assert {mode(path) for path in state.glob("journal.sqlite*")} == {0o640}
    assert mode(state / "gnupg") == 0o700
    assert {mode(state / name) for name in ("file", "gnupg/file")} == {0o600}


def test_a_state_whose_folder_does_not_say_so_stays_closed(state: Path) -> None:
    state.chmod(0o755)
    readable(state).let()
    assert {mode(state / name) for name in SHOWN} == {0o700}
    assert {mode(path) for path in state.glob("journal.sqlite*")} == {0o600}


def test_what_is_closed_again_by_whoever_writes_is_opened_again(state: Path) -> None:
    open_ = readable(state)
    open_.let()
    for name in SHOWN:
        (state / name).chmod(0o700)
    (state / "journal.sqlite").chmod(0o600)
    (state / "store/sha256/ab/another").touch(mode=0o600)
    (state / "store/sha256/cd").mkdir(mode=0o700)
    (state / "store/sha256/cd/file").touch(mode=0o600)
    open_.let()
    assert {mode(state / name) for name in (*SHOWN, "store/sha256/cd")} == {0o750}
    for name in ("store/sha256/ab/another", "store/sha256/cd/file", "journal.sqlite"):
        assert mode(state / name) == 0o640


def test_files_of_a_folder_in_which_nothing_happens_are_not_looked_at(state: Path) -> None:
    folder = state / "store/sha256/ab"
    long_ago = time.time() - 3600
    os.utime(folder, (long_ago, long_ago))
    open_ = readable(state)
    open_.let()
    (folder / "file").chmod(0o600)  # which nobody does: it shows that nobody looks
    open_.let()
    assert mode(folder / "file") == 0o600
    (folder / "new").touch(mode=0o600)
    open_.let()
    assert {mode(folder / name) for name in ("file", "new")} == {0o640}


def test_a_link_leads_nowhere(state: Path) -> None:
    secret = state / "gnupg" / "file"
    (state / "changes" / "link").symlink_to(secret)
    (state / "store/sha256/ef").symlink_to(state / "gnupg")
    readable(state).let()
    assert (mode(secret), mode(state / "gnupg")) == (0o600, 0o700)


def test_a_state_without_anything_in_it_is_nothing_to_complain_of(tmp_path: Path) -> None:
    tmp_path.chmod(0o2755)
    readable(tmp_path).let()
    assert Store(tmp_path / "store").add_bytes(b"first", "first")
