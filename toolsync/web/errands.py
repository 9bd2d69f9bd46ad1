"""What reviewers have asked for, and how far it has come. No web framework is needed here.

Each errand is done by a process of its own (`system.door`), by the functions of the command line;
this server waits for it in a thread and keeps what it tells. What takes the state's lock goes one
after the other, and so does what looks at an address. A server that begins anew reads in the log
what was asked for before, and what came of it.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from toolsync.journal.log import Entry as Line
from toolsync.maintain.errand import Done
from toolsync.maintain.errands import ACTS, errand_of
from toolsync.model.errors import ToolsyncError, UsageError, unforeseen
from toolsync.model.values import load
from toolsync.system.clock import Clock, stamp
from toolsync.system.door import ask
from toolsync.web.entry import DONE, FAILED, GOES, Entry, told

_MOST, KEPT = 20, 50
"""Errands that may be under way or wait, and that are remembered."""
_EPOCH = datetime(2026, 1, 1, tzinfo=UTC)


class TooMany(UsageError):
    """So much waits already that nothing more can be asked."""


@dataclass(slots=True, kw_only=True)
class Errands:
    """All that was asked for, the newest at least."""

    clock: Clock
    words: Sequence[str] = ()
    """The command line that does one errand, where no socket is named."""
    _last: int = 0
    _read: bool = False
    """Whether the log was read for what was before."""
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
                if entry.does(question):
                    return entry
            if len(going) >= _MOST:
                raise TooMany(
                    f"{len(going)} things are under way or wait; nothing was asked for",
                    resolution="See what goes on, and ask again then.",
                )
            number, now = self._number(), stamp(self.clock.now())
            entry = self._entries[number] = Entry(number=number, question=dict(question), at=now)
            for old in [n for n, e in sorted(self._entries.items()) if e.over][: -KEPT or None]:
                del self._entries[old]
        threading.Thread(target=self._work, args=(entry,), name="errand", daemon=True).start()
        return entry

    def _number(self) -> int:
        """Return a number that no earlier server has given: the seconds of this century's epoch."""
        self._last = max(self._last + 1, int((self.clock.now() - _EPOCH).total_seconds()))
        return self._last

    @property
    def wants_log(self) -> bool:
        """Whether the log may tell more than is known here."""
        with self._lock:
            return not self._read or any(e.before and not e.over for e in self._entries.values())

    def remember(self, lines: Sequence[Line], *, outlive: bool) -> None:
        """Take over what the log tells of what was asked of servers before this one.

        ``outlive`` says whether what is done for them goes on when they end.
        """
        found = {entry.number: entry for entry in told(lines, self.clock.now(), outlive=outlive)}
        with self._lock:
            self._read = True
            for number, entry in found.items():
                known = self._entries.get(number)
                if known is None or (known.before and not known.over):
                    self._entries[number] = entry

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
                question = {**entry.question, "number": str(entry.number)}
                done = ask(question, self.words, entry.lines.append, act.seconds)
                entry.came = load(Done, done)
            except ToolsyncError as error:
                entry.came = Done(fine=False, message=str(error), resolution=error.resolution)
            except Exception as error:  # noqa: BLE001 (it is told on the page)
                entry.came = Done(fine=False, message=str(unforeseen(error)))
            entry.state = DONE if entry.came.fine else FAILED
