"""End a request when its time is over, whatever the server does.

A read timeout bounds the wait for the next byte, not for the last one: a server that sends
a byte every few seconds would hold a run for ever. A `Deadline` therefore shuts the socket
that its thread is using when the time for the whole request is over. One thread watches all.
"""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from contextlib import AbstractContextManager
from types import TracebackType

from toolsync.system import stop

_using = threading.local()


class Deadline:
    """For the block, ends this thread's request after so many seconds."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self.passed = False
        self.ends = 0.0
        """On the monotonic clock."""
        self._lock = threading.Lock()
        self._socket: socket.socket | None = None
        self._stop: AbstractContextManager[None] = contextlib.nullcontext()
        self._lent: socket.socket | None = None

    @property
    def left(self) -> float:
        """Seconds until the end, never below zero."""
        return max(0.0, self.ends - time.monotonic())

    def __enter__(self) -> Deadline:
        self._stop = stop.ended_by(self.end)
        self._stop.__enter__()
        self.ends = time.monotonic() + self._seconds
        _using.deadline = self
        _watchdog.add(self)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        _using.deadline = None
        _watchdog.remove(self)
        self.watch(None)
        self._stop.__exit__(None, None, None)

    def watch(self, used: socket.socket | None, *, copy: bool = False) -> None:
        """Remember the socket that the request runs over; a copy where TLS will take it away."""
        with self._lock:
            if self._lent is not None:
                self._lent.close()
            self._lent = used.dup() if copy and used is not None else None
            self._socket = self._lent or used
            if self.passed:
                self._shut()

    def end(self) -> None:
        """Shut the socket down; a thread that waits on it reads the end of the stream."""
        with self._lock:
            self.passed = True
            self._shut()

    def _shut(self) -> None:
        if self._socket is not None:
            with contextlib.suppress(OSError):
                self._socket.shutdown(socket.SHUT_RDWR)


def watch(used: socket.socket | None, *, copy: bool = False) -> None:
    """Tell this thread's deadline, if it has one, which socket is about to be waited on."""
    deadline: Deadline | None = getattr(_using, "deadline", None)
    if deadline is not None:
        deadline.watch(used, copy=copy)


class _Watchdog:
    """Ends each deadline when its time has come; sleeps while there is none."""

    def __init__(self) -> None:
        self._change = threading.Condition()
        self._active: set[Deadline] = set()
        self._wakes = float("inf")
        self._thread: threading.Thread | None = None

    def add(self, deadline: Deadline) -> None:
        """Watch a deadline from now on."""
        with self._change:
            self._active.add(deadline)
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._run, name="deadlines", daemon=True)
                self._thread.start()
            elif deadline.ends < self._wakes:
                self._change.notify()

    def remove(self, deadline: Deadline) -> None:
        """Watch it no more."""
        with self._change:
            self._active.discard(deadline)

    def _run(self) -> None:
        with self._change:
            while True:
                now = time.monotonic()
                for deadline in [d for d in self._active if d.ends <= now]:
                    self._active.discard(deadline)
                    deadline.end()
                self._wakes = min((d.ends for d in self._active), default=float("inf"))
                patience = self._wakes - now if self._active else None
                self._change.wait(min(patience, 3600.0) if patience is not None else None)


_watchdog = _Watchdog()
