"""Kill a fleet's parts at random while it brings releases from their pages into an archive.

``python3 -m tests.bench.kills --releases 40 --series 2 [--kills 100]``. Everything is real: two
coordinators that do ``toolsync run --all`` one time after the other, on PostgreSQL; three
``toolsync worker``, a Redis that forgets all, a shared folder as store, a local archive; tiny
tools that are built by dpkg-buildpackage. One tool before has gone the way undisturbed: what the
archive serves of it, under another name, is what it must serve of each. What the archive itself did
is written down beside toolsync (`tests.support.inclusions`): each packaging must have been included
once in what was ever shown.
"""

from __future__ import annotations

import math
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import ExitStack, closing, suppress
from dataclasses import dataclass, field
from pathlib import Path

from tests.bench.fleet import all_there, say
from tests.servers.postgres import Postgres, postgres
from tests.servers.redis import Redis
from tests.servers.web import Web
from tests.support.fleet import stop
from tests.support.inclusions import Inclusion, watched
from tests.support.rig import Rig, environment
from tests.support.tiny import publish, write_tool
from toolsync.journal.journal import Journal
from toolsync.journal.log import Entry
from toolsync.model.errors import Busy
from toolsync.publish import index
from toolsync.system.clock import SystemClock, stamp

_SERIES = ("bookworm", "trixie", "forky")
_LEASE = 3
_FIRST = "primer"
_PARTS = ("worker", "worker", "coordinator", "coordinator", "broker", "database")
_MOST = 1800
"""Seconds that all of it may take."""
_LEFT_ALONE = 0.3
"""The share of kills that no other follows until something has gone on."""


@dataclass(frozen=True)
class Recovery:
    """How long after a kill, with none after it, something went on: a stage came to an outcome."""

    part: str
    at: str
    seconds: float
    entries: tuple[Entry, ...]
    """What was logged from the kill on."""


@dataclass(frozen=True)
class Kill:
    """One kill: of which part, when, and how many lines the log had."""

    part: str
    at: str
    since: float
    logged: int


@dataclass
class Fleet:
    """The parts, each of which can be killed and is started anew."""

    rigs: list[Rig]
    there: list[Rig]
    redis: Redis
    server: Postgres
    running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    killed: Counter[str] = field(default_factory=Counter)
    rounds: int = 0

    def start(self) -> None:
        """Start what does not run: a coordinator that has ended goes round again."""
        for number, rig in enumerate(self.there):
            name = f"w{number}@bench"
            self._start(f"worker {number}", rig, "worker", "--at-once", "1", "--name", name)
        for number, rig in enumerate(self.rigs):
            self.rounds += self._start(f"coordinator {number}", rig, "run", "--all")

    def _start(self, name: str, rig: Rig, *words: str) -> bool:
        process = self.running.get(name)
        if process is not None and process.poll() is None:
            return False
        with (rig.root / "said").open("ab") as said:
            self.running[name] = subprocess.Popen(
                rig.argv(*words),
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=said,
                env=environment(),
                start_new_session=True,
            )
        return True

    def kill(self) -> str:
        """Kill one part, chosen at random, and return which."""
        part = random.choice(_PARTS)
        self.killed[part] += 1
        if part in ("worker", "coordinator"):
            name = random.choice([name for name in self.running if name.startswith(part)])
            if random.random() < 0.5:
                stop(self.running[name])  # as by a power cut
            else:  # as by the kernel, which wants memory: what it has started has to notice
                self.running[name].kill()
                self.running[name].wait()
            return name
        server = self.redis if part == "broker" else self.server
        server.kill()
        time.sleep(random.uniform(0, 1))
        server.start()
        return part

    def close(self) -> None:
        """End all processes."""
        for process in self.running.values():
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGTERM)
        for process in self.running.values():
            with suppress(subprocess.TimeoutExpired):
                process.wait(20)
            stop(process)


def prepare(root: Path, web: Web, names: list[str], settings: str, series: str) -> list[Rig]:
    """Return two coordinators that know all tools and have published one of them."""
    first = Rig(root / "a", series=series)
    only = ", ".join(f'"{name}"' for name in (_FIRST, *names))
    first.configure(f"tools = [{only}]\n{first.settings}{settings}", series)
    for name in (_FIRST, *names):
        publish(web, "1.0", name=name, path=f"/{name}/")
    write_tool(first.tools, f"{web.url}/{_FIRST}/", "1.0", name=_FIRST)
    first.run("sync", _FIRST)
    for name in names:
        write_tool(first.tools, f"{web.url}/{name}/", "1.0", name=name)
    second = Rig(root / "b", series=series)
    second.configure(f"tools = [{only}]\n{second.settings}{settings}", series)
    shutil.rmtree(second.tools)
    shutil.copytree(first.tools, second.tools)
    shutil.copytree(first.state, second.state)  # the archive's key, and what is stored
    return [first, second]


def confirmed(journal: Journal) -> Counter[tuple[str, str]]:
    """Return how many packagings of each tool were published for each series.

    That what is published was looked at again after the archive has changed is none.
    """
    return Counter((one.tool, one.series) for one in journal.publications.all())


def faults(archive: Path, journal: Journal, names: list[str]) -> list[str]:
    """Return what was lost, doubled, or is served otherwise than of the undisturbed tool."""
    entries = list(index.entries(archive))
    model = sorted((e.series, e.kind, e.name, e.version) for e in entries if e.source == _FIRST)
    told = []
    for name in names:
        own = sorted((e.series, e.kind, e.name, e.version) for e in entries if e.source == name)
        wanted = sorted((s, k, n.replace(_FIRST, name), v) for s, k, n, v in model)
        if own != wanted:
            told.append(f"{name}: served is {own}, wanted {wanted}")
    counts = confirmed(journal)
    series = {one for _, one in counts}
    for name in names:
        told += [
            f"{name}: published {counts[name, one]} times for {one}"
            for one in sorted(series)
            if counts[name, one] != 1
        ]
        states = Counter((u.version, u.series, u.state) for u in journal.uploads.of(name))
        if sorted(states.values()) != [1] * len(series) or {s[2] for s in states} != {"confirmed"}:
            told.append(f"{name}: uploads are {dict(states)}")
        if "1.0" not in journal.evidence.of(name):
            told.append(f"{name}: there is no evidence")
    return told


def doubled(shown: list[Inclusion], names: list[str], series: list[str]) -> list[str]:
    """Return what the archive, by its own doing, included otherwise than once for each series."""
    counts = Counter((one.series, one.source, one.version) for one in shown)
    told = [
        f"{source} {version} was included {count} times in {place}:"
        f" {', '.join(one.at for one in shown if one.place == (place, source, version))}"
        for (place, source, version), count in sorted(counts.items())
        if count != 1
    ]
    packagings = Counter((place, source) for place, source, _ in counts)
    wanted = {(place, name) for name in (_FIRST, *names) for place in series}
    told += [f"{name} was never included in {place}" for place, name in wanted - set(packagings)]
    told += [f"{many} packagings of {of}" for of, many in packagings.items() if many != 1]
    return told


def disturbed(fleet: Fleet, place: str, wanted: int, kills: int) -> list[Recovery]:
    """Kill parts until that was enough, and wait until all is published; return each recovery.

    A kill that is followed by another one before anything went on counts for none.
    """
    recoveries: list[Recovery] = []
    hurt: Kill | None = None
    ends, following = time.monotonic() + _MOST, time.monotonic() + 5
    while time.monotonic() < ends:
        fleet.start()
        published, entries = _seen(place)
        if hurt is not None and (found := _went_on(hurt, entries)) is not None:
            recoveries.append(found)
            hurt = None
            following = min(following, time.monotonic() + random.uniform(0.5, 4))
        if published >= wanted:
            break
        if fleet.killed.total() < kills and time.monotonic() > following:
            logged = len(entries) or (hurt.logged if hurt else 0)
            at, since = stamp(SystemClock().now()), time.monotonic()
            hurt = Kill(fleet.kill(), at, since, logged)
            # Some are left alone until they have recovered: else the longest would never be seen.
            alone = random.random() < _LEFT_ALONE
            following = math.inf if alone else time.monotonic() + random.uniform(0.5, 4)
        time.sleep(0.3)
    return recoveries


def _went_on(hurt: Kill, entries: list[Entry]) -> Recovery | None:
    """Return the recovery where a stage has come to an outcome since; entries oldest first.

    That something was tried and is left for later is none.
    """
    new = tuple(entry for entry in entries[hurt.logged :] if entry.at >= hurt.at)
    if not any(entry.event in ("done", "held") for entry in new):
        return None
    seconds = time.monotonic() - hurt.since
    return Recovery(hurt.part, hurt.at, seconds, new)


def _seen(place: str) -> tuple[int, list[Entry]]:
    """Return how many publications there are, and what was logged; nothing without a database."""
    with suppress(Busy), closing(Journal.open(place, SystemClock())) as journal:
        published = len([one for one in confirmed(journal) if one[0] != _FIRST])
        return published, journal.log.last(100_000)[::-1]
    return 0, []


def show(recoveries: list[Recovery], kills: int) -> None:
    """Print how long recoveries took, and the log of the longest."""
    took = sorted(one.seconds for one in recoveries)
    worst = max(recoveries, key=lambda one: one.seconds)
    say(
        f"{len(took)} of {kills} kills were followed by no other before something went on: in the"
        f" middle {took[len(took) // 2]:.1f} s; the longest {worst.seconds:.1f} s, after the"
        f" {worst.part} was killed {worst.at}:"
    )
    for entry in worst.entries:
        where = f"{entry.tool} {entry.version} {entry.stage} {entry.scope}"
        say(f"  {entry.at} {where} {entry.event} {entry.message[:100]}")


def main(releases: int, series: int, kills: int) -> None:
    """Kill, go on, and compare."""
    names = [f"tool{number:02}" for number in range(releases)]
    with ExitStack() as stack:
        web, redis = stack.enter_context(Web()), stack.enter_context(Redis())
        server = stack.enter_context(postgres())
        root = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        root.chmod(0o755)
        (root / "shared").mkdir()
        place, url = server.fresh(), f"file://{root}/shared"
        own = f'[store]\nurl = "{url}"\n'
        fleet_of = f'[fleet]\nbroker = "{redis.url}"\nwaiting = 60\nseconds = 120\n{own}'
        settings = f'[journal]\nurl = "{place}"\nlease_seconds = {_LEASE}\n{fleet_of}'
        settings += f'[local]\npath = "{root}/archive"\n'
        there = [Rig(root / f"w{number}") for number in range(3)]
        for rig in there:
            rig.configure(rig.settings + fleet_of)
        fleet = Fleet([], there, redis, server)
        stack.callback(fleet.close)
        fleet.start()
        all_there(redis.url, len(there))
        wanted = ", ".join(f'"{one}"' for one in _SERIES[:series])
        did = stack.enter_context(watched(root / "archive", root / "did"))
        fleet.rigs = prepare(root, web, names, settings, wanted)
        began = time.monotonic()
        recoveries = disturbed(fleet, place, releases * series, kills)
        wall = time.monotonic() - began
        for rig in fleet.rigs:  # what still runs ends, and then each once undisturbed
            process = fleet.running[f"coordinator {fleet.rigs.index(rig)}"]
            process.wait(300)
            rig.run("run", "--all")
        with closing(Journal.open(place, SystemClock())) as journal:
            told = faults(root / "archive", journal, names)
            twice = Counter((e.tool, e.scope) for e in journal.log.last(100_000)
                            if (e.stage, e.event) == ("publish", "done"))  # fmt: skip
        again = ", ".join(f"{tool} {scope}" for (tool, scope), count in twice.items() if count > 1)
        tried, shown = did.inclusions(), did.shown()
        told += doubled(shown, names, list(_SERIES[:series]))
        # A download that one coordinator began and the other has finished stays for gc, which drops
        # it after a week (maintain/gc.py).
        left = (path for rig in fleet.rigs for path in rig.leftovers())
        told += [f"left behind: {path}" for path in left if "/store/partial/" not in str(path)]
        counts = ", ".join(f"{count} of a {part}" for part, count in sorted(fleet.killed.items()))
        say(
            f"{fleet.killed.total()} kills ({counts}) in {wall:.0f} s, over {fleet.rounds} runs:"
            f" {releases} releases in {series} series, {len(told)} faults"
        )
        say(
            f"the archive turned {len(did.turns)} times; of {len(tried)} inclusions {len(shown)}"
            f" were ever shown, of {len({one.place for one in shown})} packagings in a series;"
            f" logged as published more than once: {again or 'none'}"
        )
        if recoveries:
            show(recoveries, fleet.killed.total())
        for line in told:
            say(line)
        if told and (keep := os.environ.get("KEEP")):
            shutil.copytree(root, keep, symlinks=True)
    sys.exit(bool(told))
