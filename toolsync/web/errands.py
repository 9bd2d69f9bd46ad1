"""What reviewers have asked for, and how far it has come. No web framework is needed here.

Each errand is done by a process of its own (`system.door`), by the functions of the command line;
this server waits for it in a thread and keeps what it tells. What takes the state's lock goes one
after the other, and so does what looks at an address.
"""

from __future__ import annotations

import itertools
import re
import threading
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from toolsync.maintain.errand import Done
from toolsync.maintain.errands import ACTS, errand_of
from toolsync.model.errors import ToolsyncError, UsageError, unforeseen
from toolsync.model.values import dump, load
from toolsync.system.clock import Clock, stamp
from toolsync.system.door import ask

_MOST, _KEPT, _LINES = 20, 50, 200
"""Errands that may be under way or wait, that are remembered, and what is kept of each."""
WAITS, GOES, DONE, FAILED = "waits", "under way", "done", "not done"


class TooMany(UsageError):
    """So much waits already that nothing more can be asked."""


@dataclass(slots=True, kw_only=True)
class Entry:
    """One errand."""

    number: int
    question: Mapping[str, object]
    at: str
    state: str = WAITS
    lines: deque[str] = field(default_factory=lambda: deque(maxlen=_LINES))
    """What was told of it, oldest first."""
    came: Done | None = None

    @property
    def over(self) -> bool:
        """Whether nothing more will come."""
        return self.state in (DONE, FAILED)

    @property
    def words(self) -> str:
        """What was asked, for a person."""
        about = self.text("tool") or self.text("url")
        version = self.text("version")
        return f"{ACTS[self.text('act')].words}: {about}" + (f" {version}" if version else "")

    def text(self, name: str) -> str:
        """Return a part of the question, empty where it has none."""
        return str(self.question.get(name, ""))


@dataclass(slots=True, kw_only=True)
class Errands:
    """All that was asked of this server since it began, the newest ones at least."""

    clock: Clock
    words: Sequence[str] = ()
    """The command line that does one errand, where no socket is named."""
    _numbers: itertools.count[int] = field(default_factory=lambda: itertools.count(1))
    _entries: dict[int, Entry] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _turns: Mapping[bool, threading.Lock] = field(
        default_factory=lambda: {True: threading.Lock(), False: threading.Lock()}
    )

    def ask(self, question: Mapping[str, object]) -> Entry:
        """Have something done, and return it as it stands; what waits already is not asked twice.

        Raises UsageError where it cannot mean anything, TooMany while so much waits.
        """
        errand_of(question)
        with self._lock:
            going = [entry for entry in self._entries.values() if not entry.over]
            for entry in going:
                if {**entry.question, "who": ""} == {**question, "who": ""}:
                    return entry
            if len(going) >= _MOST:
                raise TooMany(
                    f"{len(going)} things are under way or wait; nothing was asked for",
                    resolution="See what goes on, and ask again then.",
                )
            number, now = next(self._numbers), stamp(self.clock.now())
            entry = self._entries[number] = Entry(number=number, question=dict(question), at=now)
            for old in [n for n, e in self._entries.items() if e.over][: -_KEPT or None]:
                del self._entries[old]
        threading.Thread(target=self._work, args=(entry,), name="errand", daemon=True).start()
        return entry

    def get(self, number: str) -> Entry | None:
        """Return one of them by its number, None where it is not known any more."""
        if not re.fullmatch("[0-9]{1,9}", number):
            return None
        with self._lock:
            return self._entries.get(int(number))

    def all(self) -> list[Entry]:
        """Return them, newest first."""
        with self._lock:
            return [self._entries[number] for number in sorted(self._entries, reverse=True)]

    def _work(self, entry: Entry) -> None:
        act = ACTS[entry.text("act")]
        with self._turns[bool(act.lock)]:
            entry.state = GOES
            try:
                done = ask(entry.question, self.words, entry.lines.append, act.seconds)
                entry.came = load(Done, done)
            except ToolsyncError as error:
                entry.came = Done(fine=False, message=str(error), resolution=error.resolution)
            except Exception as error:  # noqa: BLE001 (it is told on the page)
                entry.came = Done(fine=False, message=str(unforeseen(error)))
            entry.state = DONE if entry.came.fine else FAILED


def as_object(entry: Entry) -> dict[str, object]:
    """Return an errand as the API has it."""
    asked = {name: value for name, value in entry.question.items() if value}
    return {
        "number": entry.number,
        "asked": asked,
        "at": entry.at,
        "state": entry.state,
        "lines": list(entry.lines),
        "came": dump(entry.came) if entry.came else None,
    }
