"""Make the calls of a command fail, one in turn: the next undisturbed one ends as if nothing was.

``python -m tests.tools.faults --points N --of WORDS`` counts, with strace, the calls by which a
sync (or another command of `TRIALS`) changes the disk, and spreads N faults over them: a full disk
(ENOSPC) where something is written or made, a broken one (EIO) where it is synced or renamed. Each
fault is tried on a fresh set-up: the command that meets it may end in any of the promised ways, and
what a second one leaves is compared with what a calm one left.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.servers.web import Web
from tests.service.test_key_life import keyrings, signers
from tests.service.test_retire import only, sources
from tests.support.rig import Rig, environment
from tests.support.tiny import publish, write_tool

ERRORS = {
    "write": "ENOSPC",
    "pwrite64": "ENOSPC",
    "mkdir": "ENOSPC",
    "openat": "ENOSPC",
    "ftruncate": "ENOSPC",
    "fsync": "EIO",
    "fdatasync": "EIO",
    "rename": "EIO",
}
"""By system call of the main thread: what it fails with."""

_FINE = frozenset({0, 1, 3, 4, 5})
"""How a sync may end; 1 where a program of Debian's is what failed."""


@dataclass(frozen=True)
class Point:
    """One call that fails."""

    call: str
    number: int
    """Which one of its kind, from 1."""

    def __str__(self) -> str:
        return f"{self.call} {self.number} with {ERRORS[self.call]}"


@dataclass(frozen=True)
class Wanted:
    """What every way must lead to."""

    pool: dict[str, str]
    standing: tuple[str, str, str]
    more: tuple[str, ...] = ()
    """What else a command is to bring about."""


class Trial:
    """Tries faults on a tiny vendor's release, each in a folder of its own."""

    words: tuple[str, ...] = ("sync", "hello")

    def __init__(self, root: Path, web: Web) -> None:
        self._root, self._web = root, web
        publish(web, "1.0")
        self._prepare()
        calm = self._fresh("calm")
        trace = root / "trace"
        subprocess.run(
            ["strace", "-o", trace, "-e", f"trace={','.join(ERRORS)}", *calm.argv(*self.words)],
            check=True, capture_output=True, env=environment(),
        )  # fmt: skip
        self.places = _places(trace.read_text(errors="replace").splitlines())
        self.wanted = self._state(calm)

    def points(self, many: int) -> Iterator[Point]:
        """Give about ``many`` faults, spread evenly over all calls of each kind."""
        total = sum(map(len, self.places.values()))
        for call, places in self.places.items():
            share = min(len(places), max(1, round(many * len(places) / total)))
            for part in range(share):
                yield Point(call, places[part * len(places) // share])

    def outcome(self, point: Point) -> str:
        """Return what is wrong after a fault and an undisturbed sync, nothing if all is well."""
        rig = self._fresh(f"{point.call}-{point.number}")
        fault = f"inject={point.call}:error={ERRORS[point.call]}:when={point.number}"
        done = subprocess.run(
            ["strace", "-o", "/dev/null", "-e", fault, *rig.argv(*self.words)],
            capture_output=True, text=True, env=environment(),
        )  # fmt: skip
        if done.returncode not in _FINE and "OSError" not in done.stderr:
            return f"it ended with {done.returncode}: {done.stderr[-500:]}"
        if "a bug of ours" in done.stdout + done.stderr:
            return f"it took the disk's fault for ours: {done.stdout}{done.stderr}"
        if (
            "Traceback" in done.stderr and point.call != "openat"
        ):  # a module may be what cannot load
            return f"it ended with a traceback: {done.stderr[-1500:]}"
        again = subprocess.run(rig.argv(*self._again(rig, done)), capture_output=True, text=True,
                               env=environment())  # fmt: skip
        if again.returncode:
            return f"the next run ended with {again.returncode}: {again.stderr[-1500:]}"
        found = self._state(rig)
        return "" if found == self.wanted else f"it left {found}, not {self.wanted}"

    def _again(self, rig: Rig, done: subprocess.CompletedProcess[str]) -> tuple[str, ...]:
        """Return the words of the undisturbed command after ``done``."""
        return self.words

    def _prepare(self) -> None:
        """Make what all set-ups begin with."""

    def _fresh(self, name: str) -> Rig:
        rig = Rig(self._root / name)
        write_tool(rig.tools, self._web.url + "/dl/", "1.0")
        return rig

    def _state(self, rig: Rig) -> Wanted:
        (row,) = rig.json("status", "hello")
        assert rig.leftovers() == []
        return Wanted(rig.pool(), (row["status"], row["current"], row["message"]))


class _Copied(Trial):
    """Begins each time with a copy of a state that has published a release."""

    def _prepare(self) -> None:
        self._whole = super()._fresh("whole")
        self._whole.run("sync", "hello")

    def _fresh(self, name: str) -> Rig:
        rig = super()._fresh(name)
        shutil.copytree(self._whole.state, rig.state, symlinks=True)
        return rig


class RepairTrial(_Copied):
    """The same on the repair of an archive with a wrong package and an empty database."""

    words = ("archive", "repair")

    def _fresh(self, name: str) -> Rig:
        rig = super()._fresh(name)
        next((rig.archive / "pool").rglob("*.deb")).write_bytes(b"wrong")
        (rig.archive / "db" / "packages.db").write_bytes(b"")
        return rig


class RotateTrial(_Copied):
    """The same on the announcement of another archive key: there is never a third."""

    words = ("key", "rotate")

    def _state(self, rig: Rig) -> Wanted:
        found = super()._state(rig)
        pool = {name: digest for name, digest in found.pool.items() if "keyring" not in name}
        told = (row["state"] for row in rig.json("key", "show"))
        more = (*told, f"{len(signers(rig))} signatures", *keyrings(rig))
        return Wanted(pool, found.standing, more)


class RetireTrial(Trial):
    """The same on the removal of a tool out of the plan, beside one that stays."""

    words = ("retire", "greet", "--remove", "--reason", "gone")

    def _prepare(self) -> None:
        publish(self._web, "1.0", name="greet", path="/greet/")
        self._whole = self._fresh("whole")
        write_tool(self._whole.tools, self._web.url + "/greet/", "1.0", name="greet")
        only(self._whole, "hello", "greet")
        self._whole.run("sync")

    def _fresh(self, name: str) -> Rig:
        rig = super()._fresh(name)
        only(rig, "hello")
        if name != "whole":
            shutil.copytree(self._whole.state, rig.state, symlinks=True)
        return rig

    def _state(self, rig: Rig) -> Wanted:
        found = super()._state(rig)
        return Wanted(found.pool, found.standing, tuple(sorted(sources(rig))))


class RestoreTrial(Trial):
    """The same on the restore of a backup: all of it, or nothing."""

    def _prepare(self) -> None:
        whole = self._fresh("whole")
        whole.run("sync", "hello")
        backup = self._root / "backup.tar.gz"
        whole.run("backup", backup)
        self.words = ("restore", str(backup))

    def _again(self, rig: Rig, done: subprocess.CompletedProcess[str]) -> tuple[str, ...]:
        """Return what a person does next: restores again, unless it was said that all is there."""
        return self.words if done.returncode else ("status",)


TRIALS = {
    "sync": Trial,
    "archive repair": RepairTrial,
    "key rotate": RotateTrial,
    "retire": RetireTrial,
    "restore": RestoreTrial,
}


def _places(lines: list[str]) -> dict[str, list[int]]:
    """Return, for each call, which of its kind change the disk, counted from 1."""
    seen: Counter[str] = Counter()
    places: dict[str, list[int]] = {}
    for line in lines:
        call = line.partition("(")[0]
        if call not in ERRORS:
            continue
        seen[call] += 1
        reads = call == "openat" and "O_CREAT" not in line
        if not reads and not line.startswith(("write(1,", "write(2,")):
            places.setdefault(call, []).append(seen[call])
    return places


def main() -> None:
    """Try the faults and print what came of them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--points", type=int, default=220)
    parser.add_argument("--of", choices=list(TRIALS), default="sync")
    options = parser.parse_args()
    wrong = tried = 0
    with tempfile.TemporaryDirectory(prefix="toolsync-faults-") as folder, Web() as web:
        trial = TRIALS[options.of](Path(folder), web)
        for point in trial.points(options.points):
            said, tried = trial.outcome(point), tried + 1
            if said:
                wrong += 1
                sys.stdout.write(f"{point}: {said}\n")
                sys.stdout.flush()
    sys.stdout.write(f"{tried} faults, {wrong} of them left something behind\n")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
