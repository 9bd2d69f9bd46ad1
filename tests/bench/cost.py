"""What a program takes from start to end: time, and the memory of all its processes."""

from __future__ import annotations

import os
import re
import resource
import select
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

_PAUSE = 0.02
"""Seconds between two looks at a program's memory, where a look is cheap."""
_SHARE = 0.02
"""Of one core's time that the looks may take: many or large processes are looked at less often."""


class Cost(NamedTuple):
    """What one run of a program took."""

    wall: float
    cpu: float
    rss: float
    """Peak memory of its largest process in MB (10^6 bytes), as the system keeps it."""
    pss: float
    """Peak memory of all its processes together in MB, shared pages counted once (PSS); sampled,
    so what lives for less than a pause may be missed."""


def measured(
    argv: list[str],
    cwd: Path,
    statuses: tuple[int, ...] = (0,),
    more: dict[str, str] | None = None,
) -> Cost:
    """Run a program to its end and return what it took; its output goes to ``cwd/out``.

    ``more`` is added to its environment. Ends the measurement where its exit status is none of
    ``statuses``.
    """
    began = time.monotonic()
    environment = os.environ | (more or {})
    with (cwd / "out").open("wb") as out:
        child = subprocess.Popen(
            argv, cwd=cwd, stdin=subprocess.DEVNULL, stdout=out, stderr=out, env=environment
        )
        status, used, pss = _followed(child.pid)
        child.returncode = os.waitstatus_to_exitcode(status)
    wall = time.monotonic() - began
    if child.returncode not in statuses:
        said = (cwd / "out").read_text(errors="replace")[-2000:]
        raise SystemExit(f"{argv[0]} ended with {child.returncode}:\n{said}")
    rss = used.ru_maxrss * 1024
    return Cost(wall, used.ru_utime + used.ru_stime, rss / 1e6, pss / 1e6)


def _followed(pid: int) -> tuple[int, resource.struct_rusage, int]:
    """Wait for a child; return its status, what it used, and the most bytes seen at once.

    Its end is waited for by a descriptor and not polled, so that no pause adds to its time.
    """
    most, pause = 0, _PAUSE / 4
    ended = os.pidfd_open(pid)
    try:
        while not select.select([ended], [], [], pause)[0]:
            began = time.thread_time()
            most = max(most, sum(map(_pss, _tree(pid))))
            pause = max(_PAUSE, (time.thread_time() - began) / _SHARE)
    finally:
        os.close(ended)
    _, status, used = os.wait4(pid, 0)
    return status, used, most


def _tree(pid: int) -> Iterator[int]:
    """Give a process and all that descend from it, as far as they still run."""
    yield pid
    tasks = f"/proc/{pid}/task"
    try:
        found = [Path(tasks, task, "children").read_text() for task in os.listdir(tasks)]
    except OSError:  # it, or a thread of it, has just ended: its children are seen next time
        return
    for child in " ".join(found).split():
        yield from _tree(int(child))


def _pss(pid: int) -> int:
    """Return a process's share of the memory that it has mapped, in bytes; 0 if it has ended."""
    try:
        rollup = Path(f"/proc/{pid}/smaps_rollup").read_bytes()
    except OSError:
        return 0
    found = re.search(rb"^Pss: +(\d+) kB$", rollup, re.MULTILINE)
    return int(found[1]) * 1024 if found else 0
