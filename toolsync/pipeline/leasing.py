"""Work under leases, where several coordinators share a journal (docs/adr/0034)."""

from __future__ import annotations

import os
import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from toolsync.journal.leases import Lease, Leases
from toolsync.model.errors import Busy, ToolsyncError
from toolsync.system.clock import Clock
from toolsync.system.fence import fenced
from toolsync.system.underway import step

_PATIENCE = 3600.0
"""Seconds that another coordinator's publications are waited for."""


class Leasing:
    """The leases of one coordinator; a thread renews them while they are held."""

    def __init__(self, leases: Leases, clock: Clock, seconds: float) -> None:
        """Hold nothing yet; each lease is for so many seconds, and renewed at a third of them."""
        self._leases, self._clock, self._seconds = leases, clock, seconds
        self.holder = f"{os.uname().nodename}:{os.getpid()}:{secrets.token_hex(4)}"
        self._held: set[Lease] = set()
        self._guard, self._ended = threading.Lock(), threading.Event()
        self._thread: threading.Thread | None = None

    @contextmanager
    def having(self, name: str) -> Iterator[bool]:
        """Hold a lease for the block, if it is to be had; say whether it was.

        What cannot be undone is refused in the block (`system.fence`) once it is lost.
        """
        lease = self._leases.take(name, self.holder, self._seconds)
        if lease is None:
            yield False
            return
        with self._renewing(lease), fenced(lambda: self._require(lease)):
            yield True

    @contextmanager
    def waiting_for(self, name: str) -> Iterator[None]:
        """Hold a lease for the block; wait where another holds it. Raises Busy after an hour."""
        ends = self._clock.monotonic() + _PATIENCE
        lease = self._leases.take(name, self.holder, self._seconds)
        if lease is None:
            known = self._leases.of(name)
            with step(f"waiting for {known.holder if known else 'another coordinator'}"):
                while lease is None:
                    if self._clock.monotonic() > ends:
                        raise Busy(f"another coordinator holds {name}", resolution="Run again.")
                    self._clock.sleep(min(1.0, self._seconds / 3))
                    lease = self._leases.take(name, self.holder, self._seconds)
        with self._renewing(lease), fenced(lambda: self._require(lease)):
            yield

    def close(self) -> None:
        """End the thread that renews."""
        self._ended.set()
        if self._thread is not None:
            self._thread.join()

    def _require(self, lease: Lease) -> None:
        if not self._leases.holds(lease):
            known = self._leases.of(lease.name)
            raise Busy(
                f"{lease.name} is no longer ours: we were away for longer than our lease"
                f"{f', and {known.holder} has it' if known and known.holder else ''}",
                resolution="Nothing was sent or shown. Run again: what was finished is kept.",
            )

    @contextmanager
    def _renewing(self, lease: Lease) -> Iterator[None]:
        with self._guard:
            self._held.add(lease)
            if self._thread is None:
                self._thread = threading.Thread(target=self._renew, name="leases", daemon=True)
                self._thread.start()
        try:
            yield
        finally:
            with self._guard:
                self._held.discard(lease)
            self._leases.give_back(lease)

    def _renew(self) -> None:
        """Renew what is held; what is lost is found so by `_require`, when it matters."""
        while not self._ended.wait(self._seconds / 3):
            with self._guard:
                held = list(self._held)
            for lease in held:
                try:
                    self._leases.renew(lease, self._seconds)
                except ToolsyncError:  # the database is away: tried again, until the lease ends
                    break
