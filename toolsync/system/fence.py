"""See that what we are about to do is still ours to do, right before it cannot be undone.

Who works on something under a lease says so for a block of his thread; who turns a link, sends a
file or writes down that it was sent asks here first. Without leases nothing is asked.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

_MINE = threading.local()


@contextmanager
def fenced(check: Callable[[], None]) -> Iterator[None]:
    """For the block, let `require` in this thread call ``check``, which raises where it must."""
    before = _checks()
    _MINE.checks = (*before, check)
    try:
        yield
    finally:
        _MINE.checks = before


def require() -> None:
    """Raise what the checks of this thread's blocks raise."""
    for check in _checks():
        check()


def _checks() -> tuple[Callable[[], None], ...]:
    found: tuple[Callable[[], None], ...] = getattr(_MINE, "checks", ())
    return found
