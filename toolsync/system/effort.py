"""What all the matching for one work may take together, however many texts there are.

A limit for each match is none for a page that makes us match a hundred thousand times.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

_here = threading.local()


class Effort:
    """Seconds that are left for the work of this thread."""

    def __init__(self, seconds: float) -> None:
        self.seconds = self.left = seconds

    def __enter__(self) -> Effort:
        self._outer = current()
        _here.effort = self
        return self

    def __exit__(self, *_: object) -> None:
        _here.effort = self._outer

    @contextmanager
    def spent(self) -> Iterator[None]:
        """Count the block's time."""
        start = time.monotonic()
        try:
            yield
        finally:
            self.left -= time.monotonic() - start


def current() -> Effort | None:
    """Return the effort whose block this thread is in, if it is in one."""
    found: Effort | None = getattr(_here, "effort", None)
    return found


def countdown(seconds: float) -> Callable[[], float]:
    """Return what tells how many seconds are left of these, from now on; never less than none."""
    ends = time.monotonic() + seconds
    return lambda: max(0.0, ends - time.monotonic())
