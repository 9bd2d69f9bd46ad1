"""What other processes of the same state are at, each told by a file of its own.

A process that works writes down its steps every second (`Board`); whoever shows them reads what is
there (`running`). A process that was killed leaves its file, which nobody believes any more.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from toolsync.model.errors import OutOfSpace
from toolsync.model.values import dump, load
from toolsync.system.store import replace_file
from toolsync.system.underway import Step

_FOLDER = "now"
_TAIL = 8 * 1024
"""Bytes of a log's end that are told."""
_MOST, _LARGEST = 64, 1024 * 1024
"""Processes that are read, and bytes of each one's file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """One step of a process."""

    label: str
    seconds: int
    """How long it has been going on."""
    words: str
    """How far it has come, or the last line of its log."""
    log: str
    """The end of its log, empty where it has none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """A process that works."""

    pid: int
    began: str
    """The kernel's count of when it began: a number that is used again is another process."""
    purpose: str
    steps: tuple[Told, ...]


class Board:
    """Where this process tells of its steps."""

    def __init__(self, state: Path, purpose: str) -> None:
        self._path = state / _FOLDER / f"{os.getpid()}.json"
        self._purpose = purpose

    def tell(self, steps: Sequence[Step]) -> None:
        """Tell what is under way; a disk that takes nothing more is another's matter."""
        found = Running(
            pid=os.getpid(),
            began=_began(os.getpid()),
            purpose=self._purpose,
            steps=tuple(map(told, steps)),
        )
        with suppress(OSError, OutOfSpace):
            replace_file(self._path, json.dumps(dump(found)).encode(), 0o640, durable=False)

    def close(self) -> None:
        """Tell that nothing is under way any more, for those that were killed too."""
        with suppress(OSError):
            self._path.unlink(missing_ok=True)
            for path in self._path.parent.glob("*.json"):
                if _read(path) is None:
                    path.unlink(missing_ok=True)


def told(step: Step) -> Told:
    """Return a step as others are told of it."""
    return Told(
        label=step.label, seconds=int(step.seconds), words=step.last_words()[:300], log=_end(step)
    )


def running(state: Path) -> list[Running]:
    """Return the processes of a state that work, with their steps."""
    paths = sorted((state / _FOLDER).glob("*.json"))[:_MOST]
    return [found for path in paths if (found := _read(path)) is not None]


def _read(path: Path) -> Running | None:
    """Return what a process tells, None where it is gone or what it wrote makes no sense."""
    try:
        with path.open("rb") as file:
            found = load(Running, json.loads(file.read(_LARGEST)))
    except (OSError, ValueError, TypeError, KeyError, RecursionError):
        return None
    return found if found.began and found.began == _began(found.pid) else None


def _end(step: Step) -> str:
    if step.log is None:
        return ""
    with suppress(OSError), step.log.open("rb") as file:
        file.seek(max(0, file.seek(0, 2) - _TAIL))
        return file.read().decode("utf-8", "replace")
    return ""


def _began(pid: int) -> str:
    """Return when a process began, in ticks since the machine did (proc_pid_stat(5), field 22)."""
    with suppress(OSError, IndexError):
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
        return text.rpartition(")")[2].split()[19]
    return ""
