"""Limit the requests to each host: how many at once, and the pause between their starts."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from toolsync.model.errors import Unreachable
from toolsync.system.clock import Clock


class _Host:
    def __init__(self, at_once: int) -> None:
        self.free = threading.Semaphore(at_once)
        self.users = 0
        self.next = 0.0
        """When the next request may start, on the monotonic clock."""


class Hosts:
    """Gives slots to requests; a host is forgotten when it has no request and no pause to keep."""

    def __init__(
        self,
        at_once: int,
        interval: float,
        clock: Clock,
        elsewhere: Callable[[str], float] | None = None,
    ) -> None:
        """``at_once`` requests to one host run together, ``interval`` seconds apart.

        ``elsewhere`` reserves a request to a host among those of other machines, and returns in
        how many seconds it may start.
        """
        self._elsewhere = elsewhere
        self._at_once, self._interval, self._clock = at_once, interval, clock
        self._lock = threading.Lock()
        self._hosts: dict[str, _Host] = {}

    @contextmanager
    def slot(self, name: str, patience: float) -> Iterator[None]:
        """Hold one of the slots of the host ``name`` for the block.

        Raises Unreachable when none became free within ``patience`` seconds.
        """
        with self._lock:
            host = self._hosts.setdefault(name, _Host(self._at_once))
            host.users += 1
        try:
            if not host.free.acquire(timeout=min(patience, threading.TIMEOUT_MAX)):
                raise Unreachable(
                    f"{name} gave no slot within {patience:.0f} s: {self._at_once} requests to it "
                    "are under way",
                    resolution="Raise per_host in [http] of toolsync.toml if the host allows it.",
                )
            try:
                self._pause(host)
                if self._elsewhere is not None and (seconds := self._elsewhere(name)) > 0:
                    self._clock.sleep(seconds)
                yield
            finally:
                host.free.release()
        finally:
            with self._lock:
                host.users -= 1
                if not host.users and not self._interval:
                    del self._hosts[name]

    def _pause(self, host: _Host) -> None:
        if not self._interval:
            return
        with self._lock:
            now = self._clock.monotonic()
            start = max(now, host.next)
            host.next = start + self._interval
        if start > now:
            self._clock.sleep(start - now)
