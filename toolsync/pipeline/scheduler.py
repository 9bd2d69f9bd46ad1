"""Work on many things at once, so that one slow host does not hold up the others.

Threads that wait for a turn at a busy host are lost to the rest. Work is therefore handed out
host by host, no more of one host than it is asked at once, and what is done is told as it ends.
What takes long waits for its host and not for us: after a second its place is lent to the next, so
that hundreds of hosts that stall or drip hold up nobody either. And what has its answer waits for
nobody: while it is read, its place is the next one's.
"""

from __future__ import annotations

import threading
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from itertools import islice, takewhile
from queue import Empty, SimpleQueue
from typing import Generic, TypeVar

from toolsync.system.clock import Clock, SystemClock

T = TypeVar("T")
R = TypeVar("R")

Waits = Callable[[bool], None]
"""Told by a work whether it waits for its host from now on; each begins as one that does."""

_AHEAD = 16
"""How many items are held for each thread while their hosts are busy."""
_PATIENCE = 1.0
"""Seconds after which an item's place is lent to another."""
_LENT = 256
"""Places that are lent at most: each is a thread."""
_READ = 16
"""Works at most that have left their places and are not done: each holds a page."""


def in_turn(
    items: Iterable[tuple[str, T]],
    act: Callable[[T, Waits], R],
    *,
    jobs: int,
    per_host: int,
    clock: Clock | None = None,
) -> Iterator[tuple[T, R]]:
    """Give each item with what ``act`` made of it, in the order in which they end.

    ``items`` come with their host's name and are taken as they are needed: at most a few times
    ``jobs`` are held. ``act`` runs in threads and must not raise. Of those that wait for their
    hosts ``jobs`` run at once besides those that take long, ``per_host`` for one host; one that
    has stopped waiting and begins again is let in at once.
    """
    source, most = iter(items), _AHEAD * jobs
    turns: _Turns[T] = _Turns(_Places(jobs, clock or SystemClock()), per_host)
    done: SimpleQueue[tuple[int, T, R]] = SimpleQueue()

    def work(place: int, item: T) -> None:
        def waits(now: bool) -> None:
            turns.waits(place, now)
            begin()

        done.put((place, item, act(item, waits)))

    def begin() -> None:
        while (turn := turns.next()) is not None:
            pool.submit(work, *turn)

    def supply(more: int) -> None:
        """Begin what can begin; take what that needs from the source, and ``more`` items."""
        begin()
        while turns.lacks(most) or more > 0:
            if (found := next(source, None)) is None:
                return
            turns.add(*found)
            begin()
            more -= 1

    with ThreadPoolExecutor(jobs + _READ + _LENT) as pool, closing(turns):
        supply(0)
        while turns.under_way():
            try:
                place, item, result = done.get(timeout=turns.patience())
            except Empty:
                supply(0)
                continue
            turns.ended(place)
            supply(0)  # before the caller takes his time over the result
            yield item, result
            supply(min(2, jobs - turns.held()))  # so that a place that comes free finds one


class _Turns(Generic[T]):
    """Whose turn it is: what is under way, and what waits for a place. For many threads."""

    def __init__(self, places: _Places, per_host: int) -> None:
        self._lock = threading.Lock()
        self._places, self._waiting = places, _Waiting[T](per_host)
        self._hosts: dict[int, str] = {}
        """Of what is under way, by its place."""
        self._over = False

    def close(self) -> None:
        """Begin nothing more, whoever asks for it."""
        self._over = True

    def add(self, host: str, item: T) -> None:
        """Let an item wait for its turn."""
        with self._lock:
            self._waiting.add(host, item)

    def next(self) -> tuple[int, T] | None:
        """Give a place to the next item whose host has one, or None while there is none."""
        with self._lock:
            found = self._waiting.take() if self._places.free() and not self._over else None
            if found is None:
                return None
            place = self._places.take()
            self._hosts[place] = found[0]
            return place, found[1]

    def waits(self, place: int, now: bool) -> None:
        """Note that what has this place stops to wait for its host, or begins again."""
        with self._lock:
            if now and self._places.again(place):
                self._waiting.began(self._hosts[place])
            elif not now and self._places.leave(place):
                self._waiting.ended(self._hosts[place])

    def ended(self, place: int) -> None:
        """Note that an item is done."""
        with self._lock:
            host = self._hosts.pop(place)
            if self._places.ended(place):
                self._waiting.ended(host)

    def lacks(self, most: int) -> bool:
        """Say whether a place is free and fewer than ``most`` items are held for it."""
        with self._lock:
            return self._places.free() and self._waiting.held < most

    def held(self) -> int:
        """Return how many items wait for their turn."""
        return self._waiting.held

    def under_way(self) -> bool:
        """Say whether anything is."""
        return bool(self._hosts)

    def patience(self) -> float | None:
        """Return in how many seconds the next place is lent, None if that changes nothing."""
        with self._lock:
            return self._places.patience()


class _Places:
    """What waits for its host, and since when; and what has left its place and is not done."""

    def __init__(self, jobs: int, clock: Clock) -> None:
        self._jobs, self._clock = jobs, clock
        self._count = 0
        self._waiting: dict[int, float] = {}
        """When each place was taken, the longest ago first."""
        self._left: set[int] = set()

    def free(self) -> bool:
        """Say whether another may begin."""
        lent = min(self._slow(), _LENT)
        return len(self._waiting) - lent < self._jobs

    def take(self) -> int:
        """Take a place and return its number."""
        self._count += 1
        self._waiting[self._count] = self._clock.monotonic()
        return self._count

    def leave(self, place: int) -> bool:
        """Free a place before its work is done, unless too many have done so."""
        if len(self._left) >= _READ or self._waiting.pop(place, None) is None:
            return False
        self._left.add(place)
        return True

    def again(self, place: int) -> bool:
        """Take the same place again; False if it was never left."""
        if place not in self._left:
            return False
        self._left.remove(place)
        self._waiting[place] = self._clock.monotonic()
        return True

    def ended(self, place: int) -> bool:
        """Forget a work; say whether it had its place to the end."""
        self._left.discard(place)
        return self._waiting.pop(place, None) is not None

    def patience(self) -> float | None:
        """Return in how many seconds the next place is lent, None if that changes nothing."""
        slow = self._slow()
        quick = next(islice(self._waiting.values(), slow, None), None)
        if quick is None or slow >= _LENT:
            return None
        return max(0.01, _PATIENCE - (self._clock.monotonic() - quick))

    def _slow(self) -> int:
        """Return how many take long; they stand first."""
        before = self._clock.monotonic() - _PATIENCE
        return sum(1 for _ in takewhile(lambda since: since <= before, self._waiting.values()))


class _Waiting(Generic[T]):
    """Items that wait for their host, and how many of each host have a place."""

    def __init__(self, per_host: int) -> None:
        self._per_host = per_host
        self._queues: dict[str, deque[T]] = {}
        """In the order in which the hosts have their turns."""
        self.held = 0
        self._busy: Counter[str] = Counter()

    def add(self, host: str, item: T) -> None:
        """Hold an item."""
        self._queues.setdefault(host, deque()).append(item)
        self.held += 1

    def take(self) -> tuple[str, T] | None:
        """Return the next item whose host has a free place, with its host, or None."""
        host = next((host for host in self._queues if self._busy[host] < self._per_host), None)
        if host is None:
            return None
        queue = self._queues.pop(host)
        item = queue.popleft()
        if queue:
            self._queues[host] = queue  # behind the others
        self.held -= 1
        self.began(host)
        return host, item

    def began(self, host: str) -> None:
        """Note that a work waits for this host."""
        self._busy[host] += 1

    def ended(self, host: str) -> None:
        """Note that one waits for it no more."""
        self._busy[host] -= 1
        if not self._busy[host]:
            del self._busy[host]
