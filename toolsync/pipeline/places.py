"""How much goes on at the same time, and what goes on one after the other.

Tools that do not depend on each other are worked on side by side, each by a thread; so are the
series of one release until they are to be published. What a target is told, and what is signed,
comes from one thread at a time. docs/adr/0029 tells why they are threads.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar

from toolsync.config.settings import Config
from toolsync.system.underway import step

if TYPE_CHECKING:
    from toolsync.pipeline.leasing import Leasing

T = TypeVar("T")

_PER_BUILD = 2 * 1024**3
"""Bytes of the machine's memory that an ordinary build should find for itself."""


class Places:
    """The places of one run: for tools, for builds, and the one at the targets."""

    def __init__(
        self, *, tools: int, builds: int, leasing: Leasing | None = None, target: str = ""
    ) -> None:
        """Give so many places; with ``leasing`` other coordinators are waited for, too."""
        self.tools, self.builds = tools, builds
        self._leasing, self._target, self._within = leasing, target, False
        self._building = threading.BoundedSemaphore(builds)
        self._at_targets = threading.RLock()

    @contextmanager
    def building(self) -> Iterator[None]:
        """Hold one of the places for builds for the block; wait where all are taken."""
        if not self._building.acquire(blocking=False):
            with step("waiting for a place to build"):
                self._building.acquire()
        try:
            yield
        finally:
            self._building.release()

    @contextmanager
    def at_targets(self) -> Iterator[None]:
        """For the block, be the only one who asks or changes a target, or signs."""
        if not self._at_targets.acquire(blocking=False):
            with step("waiting for its turn at the archive"):
                self._at_targets.acquire()
        try:
            if self._leasing is None or self._within:
                yield
                return
            with self._leasing.waiting_for(f"archive:{self._target}"):
                self._within = True
                try:
                    yield
                finally:
                    self._within = False
        finally:
            self._at_targets.release()

    @contextmanager
    def at_tool(self, source: str) -> Iterator[bool]:
        """For the block, be the only coordinator that works on a source package.

        Says whether we are; then another one is not.
        """
        if self._leasing is None:
            yield True
            return
        with self._leasing.having(f"tool:{source}") as ours:
            yield ours


def places_of(config: Config, leasing: Leasing | None = None) -> Places:
    """Return the places that a set-up names; what it leaves open follows from this machine."""
    builds = config.build.at_once or most_builds(config)
    tools = config.at_once or 2 * builds
    return Places(tools=tools, builds=builds, leasing=leasing, target=config.target)


def most_builds(config: Config) -> int:
    """Return how many builds this machine has processors and memory for."""
    processors = len(os.sched_getaffinity(0))
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return max(1, min(processors, memory // min(_PER_BUILD, config.build.memory)))


def side_by_side(works: Sequence[Callable[[], T]], most: int) -> list[T]:
    """Do ``most`` of ``works`` at once, begun in their order; return what they give, in order.

    Raises what the first of them in that order raised; what had not begun then is not begun.
    """
    if most == 1 or len(works) < 2:
        return [work() for work in works]
    with ThreadPoolExecutor(min(most, len(works)), thread_name_prefix="place") as pool:
        futures = [pool.submit(work) for work in works]
        try:
            return [future.result() for future in futures]
        except BaseException:
            for future in futures:
                future.cancel()
            raise
