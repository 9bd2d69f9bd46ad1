"""Kill a fleet's parts at random: workers, coordinators, the broker and the database.

``python3 -m tests.bench.kills [--kills N] [--tasks N]``. Two coordinators share a journal in
PostgreSQL; each task is done under its lease and its acceptance noted in the log, which must have
one line for each at the end. With words for the journal it is such a coordinator. With
``--releases N --series M`` whole runs are killed instead, from page to archive (`killruns`).
"""

from __future__ import annotations

import argparse
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, suppress
from pathlib import Path

from tests.bench import killruns
from tests.bench.fleet import Workers, all_there, say
from tests.servers.postgres import Postgres, postgres
from tests.servers.redis import Redis
from tests.support.fleet import asked_for, stop
from tests.support.rig import environment
from toolsync.fleet.build import BUILD
from toolsync.fleet.coordinator import Coordinator, Patience
from toolsync.journal.journal import Journal
from toolsync.journal.key import Key
from toolsync.model.errors import Busy, TryAgain
from toolsync.pipeline.leasing import Leasing
from toolsync.system import fence
from toolsync.system.clock import SystemClock
from toolsync.system.fleetstore import open_store

ACCEPTED, LEASE = "accepted", 3
_FIRST = 1000
_PARTS = ("worker", "worker", "coordinator", "coordinator", "broker", "database")


def coordinate(broker: str, url: str, place: str, tasks: int) -> None:
    """Be a coordinator until all tasks are accepted, by whomever."""
    clock = SystemClock()
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        journal = _patiently(lambda: Journal.open(place, clock))
        stack.callback(journal.close)
        leasing = Leasing(journal.leases, clock, LEASE)
        stack.callback(leasing.close)
        store = open_store(Path(folder), url)
        patience = Patience(seconds=60, waiting=120, tries=6)
        fleet = Coordinator(broker, store, clock, patience, lambda _: None)

        def accepted(number: int) -> bool:
            asked = asked_for(store, _FIRST + number)
            name = f"tool:{asked.name}"
            with leasing.having(name) as ours:
                if not ours:
                    return False
                if not journal.log.of(asked.name):
                    made = fleet.ask(BUILD, asked)
                    fence.require()
                    key = Key(tool=asked.name, version=asked.version, stage="build")
                    journal.log.add(key, ACCEPTED, made.changes.sha256)
            return True

        def until_accepted(number: int) -> None:
            while True:
                with suppress(TryAgain):
                    if accepted(number):
                        return
                time.sleep(0.3)

        order = random.sample(range(tasks), tasks)
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(until_accepted, order))


def _patiently(act: Callable[[], Journal]) -> Journal:
    while True:
        with suppress(Busy):
            return act()
        time.sleep(0.3)


class Parts:
    """What can be killed, and is started anew."""

    def __init__(self, redis: Redis, server: Postgres, url: str, place: str, tasks: int) -> None:
        self._redis, self._server = redis, server
        self._words = [redis.url, url, place, str(tasks)]
        self.workers = Workers(redis.url, url, "sleep:1")
        self.coordinators = [self._coordinator() for _ in range(2)]
        self.killed: Counter[str] = Counter()
        for number in range(3):
            self.workers.start(f"k{number}@bench")

    def _coordinator(self) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [sys.executable, "-m", "tests.bench.kills", "--coordinate", *self._words],
            env=environment(),
            start_new_session=True,
        )

    def kill(self) -> None:
        """Kill one part, chosen at random."""
        part = random.choice(
            ["worker", "worker", "coordinator", "coordinator", "broker", "database"]
        )
        self.killed[part] += 1
        if part == "worker":
            name = random.choice(list(self.workers.running))
            self.workers.kill(name)
            self.workers.start(name)
        elif part == "coordinator":
            place = random.randrange(len(self.coordinators))
            stop(self.coordinators[place])
            self.coordinators[place] = self._coordinator()
        else:
            server = self._redis if part == "broker" else self._server
            server.kill()
            time.sleep(random.uniform(0, 1))
            server.start()

    def is_over(self) -> bool:
        """Say whether both coordinators have seen everything accepted."""
        return all(process.poll() == 0 for process in self.coordinators)

    def close(self) -> None:
        self.workers.close()
        for process in self.coordinators:
            stop(process)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=30)
    parser.add_argument("--tasks", type=int, default=40)
    parser.add_argument("--coordinate", nargs=4)
    parser.add_argument("--releases", type=int, default=0, help="kill runs that publish these")
    parser.add_argument("--series", type=int, default=2)
    given = parser.parse_args()
    if given.releases:
        killruns.main(given.releases, given.series, given.kills)
    if given.coordinate:
        broker, url, place, tasks = given.coordinate
        coordinate(broker, url, place, int(tasks))
        return
    with Redis() as redis, postgres() as server, tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "shared").mkdir()
        place = server.fresh()
        Journal.open(place, SystemClock()).close()
        parts = Parts(redis, server, f"file://{folder}/shared", place, given.tasks)
        with closing(parts):
            all_there(redis.url, 3)
            began, ends = time.monotonic(), time.monotonic() + 600
            while not parts.is_over() and time.monotonic() < ends:
                time.sleep(random.uniform(0.3, 2))
                if parts.killed.total() < given.kills and not parts.is_over():
                    parts.kill()
            wall = time.monotonic() - began
        with closing(Journal.open(place, SystemClock())) as journal:
            lines = [e for e in journal.log.last(10_000) if e.event == ACCEPTED]
    counts = Counter(entry.tool for entry in lines)
    kills = ", ".join(f"{count} of a {part}" for part, count in sorted(parts.killed.items()))
    say(
        f"{parts.killed.total()} kills ({kills}) in {wall:.0f} s: {len(counts)} of {given.tasks}"
        f" tasks accepted, {sum(count > 1 for count in counts.values())} of them twice"
    )
    if len(counts) != given.tasks or len(lines) != given.tasks:
        sys.exit(1)


if __name__ == "__main__":
    main()
