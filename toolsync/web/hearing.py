"""Look at release pages soon after somebody asked for it: a person, or a forge's hook.

What is asked for twice within some seconds is looked at once, and no page is looked at more often
than it can bear. One thread of the server's does the looking, by the same function as ``toolsync
check``; what it sees is taken by the next run.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable
from dataclasses import dataclass, field

from toolsync.system.clock import Clock

_MOST = 500
"""Tools that may wait to be looked at."""


@dataclass(slots=True, kw_only=True)
class Hearing:
    """The names of tools to be looked at."""

    clock: Clock
    seconds: float = 2.0
    """How long is waited for more of the same."""
    apart: float = 20.0
    """Seconds between two looks at one tool's page."""
    asked: threading.Event = field(default_factory=threading.Event)
    _names: dict[str, None] = field(default_factory=dict)
    _looked: dict[str, float] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def ask(self, names: Iterable[str]) -> int:
        """Ask for looks; return how many tools wait for one now."""
        with self._lock:
            for name in names:
                if len(self._names) < _MOST:
                    self._names[name] = None
            waiting = len(self._names)
        if waiting:
            self.asked.set()
        return waiting

    def waiting(self) -> tuple[str, ...]:
        """Return whose look is still to come."""
        with self._lock:
            return tuple(self._names)

    def take(self) -> tuple[str, ...]:
        """Return the tools to be looked at now; those looked at just before stay asked for."""
        now = self.clock.monotonic()
        with self._lock:
            recent = {name: at for name, at in self._looked.items() if now < at + self.apart}
            names = tuple(name for name in self._names if name not in recent)
            self._names = {name: None for name in self._names if name in recent}
            self._looked = recent | dict.fromkeys(names, now)
            if not self._names:
                self.asked.clear()
        return names
