"""What the doctor says, for a page.

It takes its time and may ask servers, so a thread of its own does that; a page shows what it came
to last.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from toolsync.maintain.forpages import Examined
from toolsync.model.errors import ToolsyncError, unforeseen
from toolsync.system.clock import Clock, stamp
from toolsync.system.underway import step

_OLD = 3600.0
"""Seconds after which the doctor is asked anew when somebody looks."""
_PATIENCE = 1.5
"""Seconds that a page waits for the doctor."""


@dataclass(slots=True, kw_only=True)
class Doctor:
    """What the doctor said last."""

    clock: Clock
    at: str = ""
    said: Examined = field(default_factory=Examined)
    fault: str = ""
    """What kept it from its work."""
    _done: threading.Event = field(default_factory=threading.Event)
    _asked: float | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def ask(self, examine: Callable[[], Examined], *, anew: bool = False) -> bool:
        """Have it look unless it did so lately; say whether it is at it still, after a moment."""
        with self._lock:
            busy = self._asked is not None and not self._done.is_set()
            old = self._asked is None or self.clock.monotonic() > self._asked + _OLD
            if not busy and (old or anew):
                self._asked = self.clock.monotonic()
                self._done.clear()
                threading.Thread(
                    target=self._look, args=(examine,), name="doctor", daemon=True
                ).start()
        return not self._done.wait(_PATIENCE)

    def _look(self, examine: Callable[[], Examined]) -> None:
        try:
            with step("doctor"):
                self.said = examine()
            self.fault = ""
        except ToolsyncError as error:
            self.fault = f"{error} {error.resolution}"
        except Exception as error:  # noqa: BLE001 (it is told on the page)
            self.fault = str(unforeseen(error))
        self.at = stamp(self.clock.now())
        self._done.set()
