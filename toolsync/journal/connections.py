"""A connection for each thread, so that each has transactions of its own."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Generic, Protocol, TypeVar


class Closes(Protocol):
    """What can be closed."""

    def close(self) -> object:
        """Close it."""


C = TypeVar("C", bound=Closes)


class Connections(Generic[C]):
    """Connections to one database, opened by the threads that first ask."""

    def __init__(self, connect: Callable[[], C]) -> None:
        """Open nothing yet; ``connect`` opens one connection."""
        self._connect, self._mine = connect, threading.local()
        self._open: dict[threading.Thread, C] = {}

    def mine(self) -> C:
        """Return this thread's connection; those of threads that have ended are closed."""
        if (known := self.mine_or_none()) is not None:
            return known
        self._mine.connection = found = self._connect()
        for thread in [thread for thread in list(self._open) if not thread.is_alive()]:
            if (left := self._open.pop(thread, None)) is not None:  # else another thread was first
                left.close()
        self._open[threading.current_thread()] = found
        return found

    def mine_or_none(self) -> C | None:
        """Return this thread's connection, None where it has none yet."""
        found: C | None = getattr(self._mine, "connection", None)
        return found

    def drop(self) -> None:
        """Close this thread's connection, which is of no use any more; the next is a new one."""
        self._mine.connection = None
        if (left := self._open.pop(threading.current_thread(), None)) is not None:
            left.close()

    def close(self) -> None:
        """Close them for all threads; none may be using its own."""
        for connection in self._open.values():
            connection.close()
