"""Work on many things at once, so that one slow host does not hold up the others.

Threads that wait for a turn at a busy host are lost to the rest. Work is therefore handed out
host by host, no more of one host than it is asked at once, and what is done is told as it ends.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from queue import SimpleQueue
from typing import Generic, TypeVar

T = TypeVar("T")
R = TypeVar("R")

_AHEAD = 64
"""How many items are held for each thread while their hosts are busy."""


def in_turn(
    items: Iterable[tuple[str, T]], act: Callable[[T], R], *, jobs: int, per_host: int
) -> Iterator[tuple[T, R]]:
    """Give each item with what ``act`` made of it, in the order in which they end.

    ``items`` come with their host's name and are taken as they are needed: at most a few times
    ``jobs`` are held. ``act`` runs in threads, ``jobs`` at once, ``per_host`` for one host, and
    must not raise.
    """
    waiting: _Waiting[T] = _Waiting(items, per_host, most=_AHEAD * jobs)
    done: SimpleQueue[tuple[str, T, R]] = SimpleQueue()

    def work(host: str, item: T) -> None:
        done.put((host, item, act(item)))

    running = 0
    with ThreadPoolExecutor(jobs) as pool:
        while True:
            while running < jobs and (found := waiting.take()) is not None:
                pool.submit(work, *found)
                running += 1
            if not running:
                return
            host, item, result = done.get()
            running -= 1
            waiting.ended(host)
            yield item, result


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
            self._queues.setdefault(host, deque()).append(item)
            self._held += 1
            if self._busy[host] < self._per_host:
                return host, self._taken(host)
        return None

    def ended(self, host: str) -> None:
        """Note that an item of this host is done."""
        self._busy[host] -= 1
        if not self._busy[host]:
            del self._busy[host]

    def _taken(self, host: str) -> T:
        queue = self._queues.pop(host)
        item = queue.popleft()
        if queue:
            self._queues[host] = queue  # behind the others
        self._held -= 1
        self._busy[host] += 1
        return item
