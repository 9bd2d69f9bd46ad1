"""One toolsync per state folder and per archive, and no survivors of a killed one.

The lock is the kernel's (flock), so it goes with the process that holds it. Programs that
a killed run had started carry the state folder's name in their environment; whoever
takes the lock next ends them first, so that two builds never share a work folder.
"""

from __future__ import annotations

import fcntl
import os
import re
import signal
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from toolsync.model.errors import Busy, SetupError
from toolsync.system.private import (
    is_at,
    is_private,
    open_private,
    own_state,
    shared_folder,
    strange,
)
from toolsync.system.run import MARK
from toolsync.system.store import full_disk_is_told

UNFINISHED = ".restore"
"""In a state folder: a backup is being restored into it, or that was broken off."""


def require_whole(state: Path) -> None:
    """Raise SetupError for a state into which a restore was broken off, or is under way."""
    if (state / UNFINISHED).exists():
        raise SetupError(
            f"a backup was not restored into {state} to its end",
            resolution="Wait for toolsync restore if it is under way; else run it again.",
        )


@contextmanager
def exclusive(state: Path, purpose: str) -> Iterator[None]:
    """Hold ``state`` alone for the block; raise Busy, naming the holder, when it is taken."""
    way_out = "Wait for it to end, or name another state folder with --state."
    with full_disk_is_told(state):
        own_state(state)
    with _held(state / "lock", state, purpose, way_out):
        end_survivors(state)
        before = os.environ.get(MARK)
        os.environ[MARK] = str(state)
        try:
            yield
        finally:
            os.environ.pop(MARK, None) if before is None else os.environ.update({MARK: before})


@contextmanager
def archive_held(archive: Path) -> Iterator[None]:
    """Hold an archive alone for the block, whatever state works on it; raises Busy when taken."""
    way_out = "Wait for it to end: two states cannot write to one archive at the same time."
    with _held(archive / "conf" / "lock", archive, "at work on the archive", way_out):
        yield


@contextmanager
def _held(lock: Path, place: Path, purpose: str, way_out: str) -> Iterator[None]:
    """Hold a lock file of our own, which nobody else may open."""
    with full_disk_is_told(place):
        shared_folder(lock.parent)
        fd, holder = _locked(lock)
    if fd is None:
        raise Busy(f"{holder or 'another toolsync'} holds {place}", resolution=way_out)
    with os.fdopen(fd, "a+") as handle:
        handle.truncate(0)
        handle.write(f"process {os.getpid()} (toolsync {purpose})\n")
        handle.flush()
        try:
            yield
        finally:
            handle.truncate(0)


def _locked(lock: Path) -> tuple[int | None, str]:
    """Return a descriptor that holds the lock; None where it is taken, and what its holder says.

    A lock file that others may open, an older toolsync's or a stranger's, may be held by anybody
    who can read it: unless a process of ours is named in it, a new one takes its place. What is
    to take it is held first, so that two who do this never end up with a lock each.
    """
    fresh = lock.with_name(f".{lock.name}.new")
    while is_private(lock) or not os.path.lexists(lock):
        fd = open_private(lock)
        if not _taken(fd):
            return None, _said(fd)
        if is_at(fd, lock):
            return fd, ""
        os.close(fd)
    fd = open_private(fresh)
    if not _taken(fd):
        return None, _said(fd)
    if not is_at(fd, fresh) or is_private(lock):  # another toolsync was first
        os.close(fd)
        return _locked(lock)
    holder = _holder(lock)
    if not holder:
        try:
            fresh.rename(lock)
        except IsADirectoryError as error:
            raise strange(lock) from error
        return fd, ""
    fresh.unlink()
    os.close(fd)
    return None, holder


def _taken(fd: int) -> bool:
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _said(fd: int) -> str:
    with os.fdopen(fd, "r") as handle:
        return handle.read(1000).strip()


def _holder(lock: Path) -> str:
    """Return what a lock file that others may open says, where a process of ours holds it."""
    try:
        fd = os.open(lock, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:  # a link, or not for us to read: none that we have made
        return ""
    found = os.fstat(fd)
    ours = stat.S_ISREG(found.st_mode) and found.st_uid == os.geteuid()
    if not ours or _taken(fd):
        os.close(fd)
        return ""
    said = _said(fd)
    named = re.match(r"process (\d+) ", said)
    try:
        alive = named is not None and Path("/proc", named[1]).stat().st_uid == os.geteuid()
    except OSError:
        alive = False
    return said if alive else ""


def end_survivors(state: Path) -> int:
    """Kill every process that a dead run on ``state`` has left; return how many there were."""
    killed = 0
    for _ in range(50):
        marked = _marked(f"{MARK}={state}".encode())
        if not marked:
            return killed
        for pid in marked:
            try:
                os.kill(pid, signal.SIGKILL)
                killed += 1
            except ProcessLookupError:
                continue
        time.sleep(0.02)
    return killed


def _marked(mark: bytes) -> list[int]:
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) in (os.getpid(), os.getppid()):
            continue
        try:
            environment = (entry / "environ").read_bytes()
            zombie = (entry / "stat").read_text().rpartition(")")[2].split()[0] == "Z"
        except (OSError, IndexError):
            continue
        if not zombie and mark in environment.split(b"\0"):
            found.append(int(entry.name))
    return found
