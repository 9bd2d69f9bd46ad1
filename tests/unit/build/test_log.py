"""Logs of programs: what happens when they cannot grow, and when their time is over."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from toolsync.model.errors import OutOfSpace, ProgramFailed, SetupError, TookTooLong
from toolsync.system.run import run

FULL = Path("/dev/full")
"""Every write to it ends with ENOSPC, as on a full disk."""


@pytest.mark.parametrize("amount", [1, 3_000_000])
def test_a_log_on_a_full_disk_ends_the_program_at_once(amount: int) -> None:
    began = time.monotonic()
    with pytest.raises(OutOfSpace, match="is full") as caught:
        run("sh", "-c", f"yes | head -c {amount}; exec sleep 60", timeout=60, log=FULL)
    assert time.monotonic() - began < 20
    assert caught.value.resolution


def test_a_log_that_cannot_be_opened_starts_nothing(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        run("touch", tmp_path / "ran", timeout=10, log=tmp_path / "none" / "log")
    assert not (tmp_path / "ran").exists()


def test_a_log_holds_both_streams_in_the_order_written(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text("before\n")
    run("sh", "-c", "echo out; echo err >&2; echo out", timeout=10, log=log)
    assert log.read_text() == "before\nout\nerr\nout\n"


def test_time_that_is_over_is_its_own_error() -> None:
    with pytest.raises(TookTooLong, match="stopped after 1 s") as caught:
        run("sleep", "30", timeout=1)
    assert caught.value.resolution


def test_a_flood_says_what_to_do() -> None:
    with pytest.raises(ProgramFailed, match="more than 1000 bytes") as caught:
        run("yes", timeout=30, limit=1000)
    assert not isinstance(caught.value, TookTooLong | SetupError)
    assert caught.value.resolution
