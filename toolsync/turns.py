"""Work on many things at once, so that one slow host does not hold up the others.

Threads that wait for a turn at a busy host are lost to the rest. Work is therefore handed out
host by host, no more of one host than it is asked at once, and what is done is told as it ends.
What takes long waits for its host and not for us: after a second its place is lent to the next, so
that hundreds of hosts that stall or drip hold up nobody either.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice, takewhile
from queue import Empty, SimpleQueue
from typing import Generic, TypeVar

from toolsync.system.clock import Clock, SystemClock

T = TypeVar("T")
R = TypeVar("R")

_AHEAD = 64
"""How many items are held for each thread while their hosts are busy."""
_PATIENCE = 1.0
"""Seconds after which an item's place is lent to another."""
_LENT = 256
"""Places that are lent at most: each is a thread."""


def in_turn(
    items: Iterable[tuple[str, T]],
    act: Callable[[T], R],
    *,
    jobs: int,
    per_host: int,
    clock: Clock | None = None,
) -> Iterator[tuple[T, R]]:
    """Give each item with what ``act`` made of it, in the order in which they end.

    ``items`` come with their host's name and are taken as they are needed: at most a few times
    ``jobs`` are held. ``act`` runs in threads, ``jobs`` at once besides those that take long,
    ``per_host`` for one host, and must not raise.
    """
    places = _Places(jobs, clock or SystemClock())
    waiting: _Waiting[T] = _Waiting(items, per_host, most=_AHEAD * jobs)
    done: SimpleQueue[tuple[int, str, T, R]] = SimpleQueue()

    def work(place: int, host: str, item: T) -> None:
        done.put((place, host, item, act(item)))

    with ThreadPoolExecutor(jobs + _LENT) as pool:

        def fill() -> None:
            while places.free() and (found := waiting.take()) is not None:
                pool.submit(work, places.taken(), *found)

        fill()
        while places.running:
            try:
                place, host, item, result = done.get(timeout=places.patience())
            except Empty:
                fill()
                continue
            places.ended(place)
            waiting.ended(host)
            fill()  # before the caller takes his time over the result
            yield item, result
            waiting.fetch(jobs)


class _Places:
    """What is under way, and since when."""

    def __init__(self, jobs: int, clock: Clock) -> None:
        self._jobs, self._clock = jobs, clock
        self._count = 0
        self.running: dict[int, float] = {}
        """When each place was taken, the longest ago first."""

    def free(self) -> bool:
        """Say whether another may begin."""
        lent = min(self._slow(), _LENT)
        return len(self.running) - lent < self._jobs

    def taken(self) -> int:
        """Take a place and return its number."""
        self._count += 1
        self.running[self._count] = self._clock.monotonic()
        return self._count

    def ended(self, place: int) -> None:
        """Give a place back."""
        del self.running[place]

    def patience(self) -> float | None:
        """Return in how many seconds the next place is lent, None if that changes nothing."""
        slow = self._slow()
        quick = next(islice(self.running.values(), slow, None), None)
        if quick is None or slow >= _LENT:
            return None
        return max(0.01, _PATIENCE - (self._clock.monotonic() - quick))

    def _slow(self) -> int:
        """Return how many take long; they stand first."""
        before = self._clock.monotonic() - _PATIENCE
        return sum(1 for _ in takewhile(lambda since: since <= before, self.running.values()))


class _Waiting(Generic[T]):
    """Items that wait for their host, and how many of each host are under way."""

    def __init__(self, items: Iterable[tuple[str, T]], per_host: int, most: int) -> None:
        self._source, self._per_host, self._most = iter(items), per_host, most
        self._queues: dict[str, deque[T]] = {}
        """In the order in which the hosts have their turns."""
        self._held = 0
        self._busy: Counter[str] = Counter()

    def take(self) -> tuple[str, T] | None:
        """Return the next item whose host has a free place, or None while there is none."""
        for host in self._queues:
            if self._busy[host] < self._per_host:
                return host, self._taken(host)
        while self._held < self._most:
            try:
                host, item = next(self._source)
            except StopIteration:
                return None
            self._hold(host, item)
            if self._busy[host] < self._per_host:
                return host, self._taken(host)
        return None

    def fetch(self, most: int) -> None:
        """Take a few items from their source, so that one is at hand when a place comes free."""
        for host, item in islice(self._source, max(0, min(2, most - self._held))):
            self._hold(host, item)

    def ended(self, host: str) -> None:
        """Note that an item of this host is done."""
        self._busy[host] -= 1
        if not self._busy[host]:
            del self._busy[host]

    def _hold(self, host: str, item: T) -> None:
        self._queues.setdefault(host, deque()).append(item)
        self._held += 1

    def _taken(self, host: str) -> T:
        queue = self._queues.pop(host)
        item = queue.popleft()
        if queue:
            self._queues[host] = queue  # behind the others
        self._held -= 1
        self._busy[host] += 1
        return item
