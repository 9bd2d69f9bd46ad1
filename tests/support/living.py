"""What is alive on this machine: processes by their words, seen from outside of every namespace."""

from __future__ import annotations

import time
from pathlib import Path


def alive(mark: str) -> list[str]:
    """Return the processes, zombies not, whose whole command line is ``mark``: ids and words."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            words = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            state = (entry / "stat").read_text(errors="replace").rpartition(")")[2].split()[0]
        except (OSError, IndexError):
            continue
        if mark == words.strip() and state != "Z":
            found.append(f"{entry.name}: {words}")
    return found


def gone(mark: str, seconds: float = 2.0) -> list[str]:
    """Wait until nothing with this mark is alive; return what still is when the time is over."""
    end = time.monotonic() + seconds
    while (left := alive(mark)) and time.monotonic() < end:
        time.sleep(0.02)
    return left


def come(mark: str, count: int = 1, seconds: float = 30.0) -> list[str]:
    """Wait until so many processes with this mark are alive; return them."""
    end = time.monotonic() + seconds
    while len(found := alive(mark)) < count:
        assert time.monotonic() < end, f"{mark} did not come: {found}"
        time.sleep(0.02)
    return found
