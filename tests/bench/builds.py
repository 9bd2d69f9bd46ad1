"""Real builds on one machine: side by side, and beside the programs that each of them drives.

``python3 -m tests.bench.builds`` takes four small tools from a page to the archive, in clean
chroots with lintian and tests, one build at a time and then two at once; lets eight builds sleep;
and does what one build does by hand: sbuild, lintian and autopkgtest on the same source package.
It wants the chroot of bookworm, which it makes where there is none.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from tests.servers.web import Web
from tests.support.chroots import SETTINGS, chroots, clean_rig, make_chroot
from tests.support.rig import Rig
from tests.support.sleeping import Spans, asleep
from tests.support.tiny import publish, write_tool
from toolsync.pipeline.sync import sync

NAMES = ("hello-a", "hello-b", "hello-c", "hello-d")
SLEEPS, TENTHS = 8, 30
"""Builds that sleep, and for how many tenths of a second each."""


def say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


@contextmanager
def set_up(web: Web, at_once: int) -> Iterator[Rig]:
    """Make a set-up for the block in which the tools have one release each."""
    with tempfile.TemporaryDirectory(prefix="toolsync-bench-") as place:
        rig = clean_rig(Path(place))
        rig.configure(
            f"[pipeline]\nat_once = {at_once if at_once == 1 else 2 * at_once}\n"
            + SETTINGS.replace("[build]", f"[build]\nat_once = {at_once}")
        )
        for name in NAMES:
            publish(web, "1.0", name=name, path=f"/{name}/")
            write_tool(rig.tools, f"{web.url}/{name}/", "1.0", name=name)
        try:
            yield rig
        finally:
            shutil.rmtree(rig.work, ignore_errors=True)


def together(web: Web, at_once: int) -> float:
    """Return the wall seconds in which all tools are published with so many builds at once."""
    with set_up(web, at_once) as rig:
        began = time.monotonic()
        rig.run("sync", *NAMES, timeout=1800)
        return time.monotonic() - began


def asleep_for(web: Web, at_once: int) -> tuple[float, float]:
    """Return the wall seconds of builds that only sleep, and the least that they could take."""
    spans: Spans = []
    with (
        tempfile.TemporaryDirectory(prefix="toolsync-bench-") as place,
        asleep(Rig(Path(place)), web, spans, tools=SLEEPS, at_once=at_once, tenths=TENTHS) as (
            context,
            tools,
        ),
    ):
        sync(context, tools, SLEEPS, dry_run=False)
    first, last = min(began for began, _ in spans), max(ended for _, ended in spans)
    return last - first, SLEEPS * TENTHS / 10 / at_once


def driven(web: Web) -> tuple[float, float, dict[str, float]]:
    """Return the seconds of a release's build stage, and of the programs by hand, one by one."""
    with set_up(web, 1) as rig:
        rig.run("sync", NAMES[0], timeout=900)
        stage = rig.json("evidence", NAMES[0], "1.0")["predicate"]["series"]["bookworm"]["build"]
        took = datetime.fromisoformat(stage["finished"]) - datetime.fromisoformat(stage["started"])
        with tempfile.TemporaryDirectory(dir="/var/tmp", prefix="toolsync-bench-") as place:
            folder = Path(place)
            folder.chmod(0o755)
            for file in (rig.archive / "pool").rglob(f"{NAMES[0]}_*"):
                if file.suffix != ".deb":
                    shutil.copy(file, folder)
            by_hand = dict(_by_hand(folder))
        return took.total_seconds(), sum(by_hand.values()), by_hand


def _by_hand(folder: Path) -> Iterator[tuple[str, float]]:
    """Run the programs on the source package in a folder; give each with its seconds."""
    tarball = chroots() / "bookworm.tar.zst"
    (dsc,) = folder.glob("*.dsc")
    for changes in folder.glob("*.changes"):
        changes.unlink()
    yield _timed(
        folder,
        *("sbuild", "--chroot-mode=unshare", f"--chroot={tarball}", "--dist=bookworm"),
        *("--no-run-lintian", "--no-apt-update", "--no-apt-distupgrade", "--no-clean-source"),
        *("--arch-all", "--purge-deps=never", str(dsc)),
    )
    (changes,) = folder.glob("*.changes")
    debs = sorted(folder.glob("*.deb"))
    yield _timed(folder, "lintian", "--fail-on=none", str(changes), str(dsc))
    yield _timed(
        folder,
        *("autopkgtest", "--no-built-binaries", *map(str, debs), str(dsc)),
        *("--", "unshare", "--tarball", str(tarball), "--release", "bookworm"),
    )


def _timed(folder: Path, *argv: str) -> tuple[str, float]:
    began = time.monotonic()
    done = subprocess.run(
        argv, cwd=folder, capture_output=True, text=True, stdin=subprocess.DEVNULL
    )
    if done.returncode:
        raise SystemExit(f"{argv[0]} ended with {done.returncode}:\n{done.stderr or done.stdout}")
    return argv[0], time.monotonic() - began


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=1)
    rounds = parser.parse_args().rounds
    with tempfile.TemporaryDirectory() as work:
        make_chroot(Path(work))
    with Web() as web:
        for _ in range(rounds):
            one, two = together(web, 1), together(web, 2)
            ways = f"{one:.1f} s one by one, {two:.1f} s two at once"
            say(f"{len(NAMES)} tools: {ways}: {two / one:.2f}")
        for at_once in (2, 4, 8):
            took, ideal = asleep_for(web, at_once)
            ways = f"{took:.1f} s for an ideal of {ideal:.1f}"
            say(f"{SLEEPS} that sleep, {at_once} at once: {ways}: {took / ideal:.2f}")
        for _ in range(rounds):
            ours, theirs, parts = driven(web)
            told = ", ".join(f"{name} {seconds:.1f}" for name, seconds in parts.items())
            say(f"one build: {ours:.1f} s; by hand {theirs:.1f} s ({told}): {ours / theirs:.2f}")


if __name__ == "__main__":
    main()
