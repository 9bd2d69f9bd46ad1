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

        Raises Unreachable when none became free within ``patience`` seconds, or other machines
        have reserved more than that.
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
                self._pause_for_others(name, patience)
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

    def _pause_for_others(self, name: str, patience: float) -> None:
        """Wait for what other machines have reserved, which is theirs to say: never for ever."""
        if self._elsewhere is None:
            return
        seconds = self._elsewhere(name)
        if not seconds <= patience:
            raise Unreachable(
                f"{name} may be asked in {seconds:.0f} s, wanted within {patience:.0f} s: other"
                " machines of the fleet ask it first",
                resolution="Lower host_interval in [fleet] of toolsync.toml if the host allows it.",
            )
        if seconds > 0:
            self._clock.sleep(seconds)
