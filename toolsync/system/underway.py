"""What is under way now, thread by thread: steps with their beginning, log and last word.

Whoever works says so here (`step`); who shows it to a person looks when it likes (`steps`). A
step within another stands in its place until it is done.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

_TAIL = 4096
"""Bytes of a log's end in which its last line is looked for."""


@dataclass(slots=True)
class Step:
    """Something that may take long."""

    label: str
    since: float = field(default_factory=time.monotonic)
    log: Path | None = None
    """Where the program that works on it writes."""
    note: str = ""
    """How far it has come, where that is known."""

    @property
    def seconds(self) -> float:
        """How long it has been going on."""
        return time.monotonic() - self.since

    def last_words(self) -> str:
        """Return how far it has come, else the last line of its log; empty where neither is."""
        if self.note or self.log is None:
            return self.note
        try:
            with self.log.open("rb") as source:
                source.seek(max(0, source.seek(0, 2) - _TAIL))
                lines = source.read().decode("utf-8", "replace").splitlines()
        except OSError:  # it is not there yet, or was taken away with its folder
            return ""
        return next((line.strip() for line in reversed(lines) if line.strip()), "")


_stacks: dict[int, list[Step]] = {}
"""Of each thread that works, its steps from the outermost to the innermost."""
_watcher: list[Callable[[], None]] = []


@contextmanager
def step(label: str) -> Iterator[Step]:
    """For the block, let this be what this thread is at."""
    mine, thread = Step(label), threading.get_ident()
    stack = _stacks.setdefault(thread, [])
    if stack:
        mine.label = f"{stack[-1].label}, {label}"
    stack.append(mine)
    for told in _watcher:
        told()
    try:
        yield mine
    finally:
        stack.remove(mine)
        if not stack:
            _stacks.pop(thread, None)


def current() -> Step | None:
    """Return what this thread is at."""
    stack = _stacks.get(threading.get_ident())
    return stack[-1] if stack else None


def logs_to(log: Path) -> None:
    """Note where the program that this thread waits for writes."""
    if (here := current()) is not None:
        here.log, here.note = log, ""


def steps() -> list[Step]:
    """Return what every thread is at, the longest under way first."""
    found = [stack[-1] for stack in list(_stacks.values()) if stack]
    return sorted(found, key=lambda one: one.since)


@contextmanager
def watched(told: Callable[[], None]) -> Iterator[None]:
    """For the block, have ``told`` called, by whichever thread, whenever a step begins."""
    _watcher.append(told)
    try:
        yield
    finally:
        _watcher.remove(told)
