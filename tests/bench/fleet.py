"""A fleet on loopback: how throughput grows with workers; `kills` kills its parts.

``python3 -m tests.bench.fleet [--seconds S]``. Builds only sleep, so that what is
measured is the way of tasks and answers; workers, broker and store are real ones.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

from tests.servers.redis import Redis
from tests.support.fleet import asked_for, start, stop
from toolsync.fleet.build import BUILD
from toolsync.fleet.coordinator import Coordinator, Patience
from toolsync.fleet.overview import look
from toolsync.system.clock import SystemClock
from toolsync.system.fleetstore import open_store
from toolsync.system.store import Store


def say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


class Workers:
    """Worker processes that can be killed and started anew."""

    def __init__(self, broker: str, url: str, how: str) -> None:
        self._words = broker, url, how
        self.running: dict[str, subprocess.Popen[bytes]] = {}

    def start(self, name: str) -> None:
        broker, url, how = self._words
        self.running[name] = start(broker, url, name, how)

    def kill(self, name: str) -> None:
        stop(self.running.pop(name))

    def close(self) -> None:
        for name in list(self.running):
            self.kill(name)


def all_there(broker: str, count: int) -> None:
    while len(look(broker)["workers"]) < count:
        time.sleep(0.2)


def measured(store: Store, url: str, workers: int, seconds: float, each: int) -> float:
    """Return the wall time of ``each`` sleeping builds for every worker."""
    with Redis() as redis, ExitStack() as stack:
        own = Workers(redis.url, url, f"sleep:{seconds}")
        stack.callback(own.close)
        for number in range(workers):
            own.start(f"w{number}@bench")
        all_there(redis.url, workers)
        patience = Patience(seconds=600, waiting=600, tries=3)
        fleet = Coordinator(redis.url, store, SystemClock(), patience, say)
        wanted = [asked_for(store, n + 1) for n in range(each * workers)]
        began = time.monotonic()
        with ThreadPoolExecutor(len(wanted)) as pool:
            list(pool.map(lambda asked: fleet.ask(BUILD, asked), wanted))
        return time.monotonic() - began


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=5, help="of each build")
    parser.add_argument("--each", type=int, default=4, help="builds for each worker")
    parser.add_argument("--workers", type=int, nargs="*", default=[1, 2, 4, 8])
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "shared").mkdir()
        url = f"file://{folder}/shared"
        store = open_store(Path(folder) / "here", url)
        for workers in given.workers:
            wall = measured(store, url, workers, given.seconds, given.each)
            ideal = given.each * given.seconds
            share = f"{ideal / wall:.0%} of linear"
            say(f"{workers} workers: {wall:.1f} s, ideal {ideal:.1f} s, {share}")


if __name__ == "__main__":
    main()
