"""Let an unfinished download belong to one process at a time.

Two runs may want the same file at once: a ``sync`` that holds the state folder and a ``fetch``
that does not. The first takes up what is there; the other has a file of its own.
"""

from __future__ import annotations

import fcntl
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from toolsync.system.private import is_at
from toolsync.system.store import full_disk_is_told


@contextmanager
def held(part: Path) -> Iterator[Path]:
    """Give the file to download to for the block: ``part``, or a private one if it is taken.

    The file exists, and what an earlier run left in it is kept; what is in a private one goes
    at the end. The lock is the kernel's (flock), so it goes with the process that holds it.
    """
    with full_disk_is_told(part.parent):
        fd, mine = _taken(part), part
        if fd is None:
            fd, mine = _private(part)
        else:
            _sweep(part)
    try:
        yield mine
    finally:
        if mine != part or (mine.exists() and not mine.stat().st_size):
            mine.unlink(missing_ok=True)
            mine.with_suffix(".json").unlink(missing_ok=True)
        os.close(fd)


def _taken(part: Path) -> int | None:
    """Return a descriptor that locks ``part``, or None when another process has it."""
    while True:
        fd = os.open(part, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(fd)
            return None
        if is_at(fd, part):
            return fd
        os.close(fd)  # its holder has just moved it into the store: begin a new one


def _private(part: Path) -> tuple[int, Path]:
    while True:
        fd, name = tempfile.mkstemp(prefix=f"{part.name}-", dir=part.parent)
        fcntl.flock(fd, fcntl.LOCK_EX)
        if is_at(fd, Path(name)):
            return fd, Path(name)
        os.close(fd)  # swept away between its making and its locking


def _sweep(part: Path) -> None:
    """Remove the private files of processes that were killed: nobody holds those."""
    for left in part.parent.glob(f"{part.name}-*"):
        if left.suffix:
            continue
        try:
            with left.open("rb") as handle:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                left.unlink(missing_ok=True)
                left.with_suffix(".json").unlink(missing_ok=True)
        except OSError:
            continue
