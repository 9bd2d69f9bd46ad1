"""Try again what may pass: with back-off, jitter and Retry-After."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import TypeVar

from toolsync.http.failures import Limited, Transient
from toolsync.model.errors import Unreachable
from toolsync.system import stop
from toolsync.system.clock import Clock

T = TypeVar("T")

_MAX_WAIT = 120.0


def retrying(act: Callable[[], T], retries: int, clock: Clock) -> T:
    """Return what ``act`` returns, and retry it: with back-off, jitter and Retry-After.

    Only `Transient` errors are retried; after the last try Unreachable is raised.
    """
    for attempt in range(retries + 1):
        try:
            return act()
        except Transient as error:
            if stop.begun():
                raise KeyboardInterrupt from error
            wait = error.retry_after
            if wait is None:
                wait = min(30.0, 2.0**attempt * 0.5) * random.uniform(0.5, 1.0)
            if isinstance(error, Limited) and (attempt == retries or wait > _MAX_WAIT):
                raise  # it tells when the limit ends
            if attempt == retries or wait > _MAX_WAIT:
                asked = f" and asks to wait {wait:.0f} s" if wait > _MAX_WAIT else ""
                raise Unreachable(f"{error}{asked}", resolution=error.resolution) from error
            clock.sleep(wait)
    raise AssertionError("unreachable")
