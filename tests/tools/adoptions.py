"""Adopt real packages of Debian and take their next release to apt, unattended: ``make adoptions``.

    python -m tests.tools.adoptions --cache DIR [--series S] [--list FILE] [--older] [NAME]…

``adoptions.txt`` beside this names source packages of bookworm whose upstream is newer in trixie.
Of each, trixie's orig tarball (with upstream's signature, where Debian has it) is what its upstream
offers, on the loopback, at the addresses that the debian/watch of both series name. Then `toolsync
adopt apt:NAME` and `toolsync sync NAME` have to bring it to an archive for bookworm, or for another
series that users have, and apt in a fresh chroot has to install it from there. With ``--older`` the
series' own packaging is adopted, as where no archive has any of the release. All come by apt-get
source, verified by its keyring. Printed is where each has ended, by whose fault and in how many
seconds, and whose packaging it has (B the series', T trixie's, N noble's, where bookworm's set-up
names that archive as well); whole messages are in
DIR/SERIES/NAME/said, and of DIR/SERIES/NAME/end.json `adoptions_table` writes
docs/reference/adoptions.md.
Ends with status 1 where fewer than `WANTED` of 30 got there. Needs root.
"""

from __future__ import annotations

import argparse
import json
import re
import shutil
import sqlite3
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from tests.servers.upstreams import Offer, Upstreams
from tests.slow.test_clean import served
from tests.support.chroots import Instance, make_chroot
from tests.support.rig import Rig
from tests.support.rig import environment as rig_environment
from tests.tools.adoption_sources import LIST, Archives, Later, Package, listed

WANTED = 2 / 3
_ADOPTING = threading.Lock()
"""All set-ups have the archives' lists in common, which one after the other may renew."""
LIMIT = 1800.0
"""Seconds that one command of toolsync may take."""
SETTINGS = """
[http]
timeout = 30
retries = 1
[build]
backend = "sbuild"
sources = "SOURCES"
[local]
automatic = true
"""
FAULTS = {
    "verify": "upstream",
    "license": "a person",
    "compat": "a person",
    "package": "nobody",
    "build": "packaging",
}
"""Whose word or work a release waits for, by the stage that held it; a person has to agree."""
_LACKS = re.compile(r"cannot meet|unmet|does not have what it is built with")

_ABSENT = re.compile(r"mirror does not have")
"""Of packaging that is nearer to the release."""


@dataclass(frozen=True)
class Around:
    """What all packages of a run have in common."""

    series: str
    folder: Path
    """Has a folder for each package."""
    archives: Archives
    upstreams: Upstreams
    older: bool


@dataclass(frozen=True)
class End:
    """Where a package has ended."""

    package: Package
    stage: str
    """``installed``, or the stage that it did not pass."""
    fault: str = "-"
    seconds: float = 0.0
    said: str = ""
    packaging: str = "?"
    """The series that it is of: ``B``, ``T`` for trixie, ``N`` for noble."""
    old: str = ""
    """The version that the series has."""


def main() -> int:
    """Take all, print a table, and return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*")
    parser.add_argument("--cache", type=Path, required=True)
    parser.add_argument("--series", default="bookworm")
    parser.add_argument("--list", type=Path, default=LIST)
    parser.add_argument("--at-once", type=int, default=2)
    parser.add_argument("--older", action="store_true")
    given = parser.parse_args()
    cache = given.cache.resolve()
    known = {one.name: one for one in listed(given.list)}
    wanted = [known[name] for name in given.names] if given.names else [*known.values()]
    archives = Archives(given.series, cache)
    make_chroot(cache / "work", given.series)
    with Upstreams(cache / "keys") as there, ThreadPoolExecutor(given.at_once) as pool:
        around = Around(given.series, cache / given.series, archives, there, given.older)
        ends = list(pool.map(lambda one: _timed(one, around), wanted))
    good = sum(end.stage == "installed" for end in ends)
    _print(f"{good} of {len(ends)} were installed by apt, unattended")
    for end in ends:
        if end.said:
            _print(f"\n{end.package.name}: {end.said.strip()[:1500]}")
    return 0 if good >= WANTED * len(ends) else 1


def _print(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def _timed(package: Package, around: Around) -> End:
    begun = time.monotonic()
    try:
        end = _taken(package, around)
    except (AssertionError, LookupError, OSError, subprocess.SubprocessError) as error:
        end = End(package, "?", "?", said=f"{type(error).__name__}: {error}"[-3000:])
    end = replace(end, seconds=time.monotonic() - begun)
    _keep(end, around.folder / package.name / "end.json")
    _print(
        f"{package.name:<30} {end.old:<20} → {package.new:<22} {package.language:<10}"
        f" {end.packaging} {end.stage:<10} {end.fault:<10} {end.seconds:>5.0f} s "
        f" {_short(end.said)}"
    )
    return end


def _keep(end: End, path: Path) -> None:
    """Write down where a package ended, for the table."""
    kept = {key: value for key, value in asdict(end).items() if key != "package"}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({**kept, "day": f"{datetime.now(UTC):%Y-%m-%d}"}))


def _taken(package: Package, around: Around) -> End:
    """Adopt a package, sync it and install it; return where that has ended."""
    place = around.folder / package.name
    shutil.rmtree(place / "rig", ignore_errors=True)
    place.mkdir(parents=True, exist_ok=True)
    release = around.archives.release(package)
    environment = around.upstreams.environment(_offered(package, release, around.upstreams))
    settings = SETTINGS.replace("SOURCES", str(around.archives.sources))
    rig = Rig(place / "rig", settings, f'"{around.series}"')
    _share_lists(rig, around.folder)
    with _ADOPTING:
        where = f"/{around.series}" if around.older else ""
        done = _run(rig, environment, "adopt", f"apt:{package.name}{where}")
    said = done.stdout + done.stderr
    (place / "said").write_text(said)
    if done.returncode:
        return End(package, "adopt", "?", said=said, old=release.old)
    taken = _taken_of(said, around.series)
    done = _run(rig, environment, "sync", package.name, "--json")
    (place / "said").write_text(f"{said}\n{done.stdout}\n{done.stderr}")
    (row,) = json.loads(done.stdout) if done.stdout.strip() else [{}]
    if row.get("status") != "up-to-date" or row.get("newest") != package.upstream:
        text = f"{row.get('status')} {row.get('newest')}: {row.get('message') or done.stderr}"
        stage, fault = _whose(rig, text)
        return End(package, stage, fault, said=text, packaging=taken, old=release.old)
    end = _installed(package, rig, place, around.series)
    return replace(end, packaging=taken, old=release.old)


def _taken_of(said: str, series: str) -> str:
    """Return the initial of the series whose packaging was adopted; B for its own."""
    found = re.search(r"^  packaging +apt:\S+?/(\w+),", said, re.MULTILINE)
    return found[1][:1].upper() if found and found[1] != series else "B"


def _offered(package: Package, release: Later, upstreams: Upstreams) -> Offer:
    """Offer the release as each debian/watch may find it: packaging whose own does not is old."""
    found: Offer | None = None
    lost: LookupError | None = None
    for watch in release.watches:
        offer = Offer(package.name, package.upstream, watch, release.orig, release.signature)
        try:
            upstreams.offer(offer)
        except LookupError as error:
            lost = error
        else:
            found = found or offer
    if found is None:
        raise lost or LookupError(f"{package.name}: no debian/watch")
    return found


def _run(rig: Rig, environment: dict[str, str], *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        rig.argv(*words),
        capture_output=True,
        text=True,
        timeout=LIMIT,
        stdin=subprocess.DEVNULL,
        env=rig_environment() | environment,
        check=False,
    )


def _installed(package: Package, rig: Rig, place: Path, series: str) -> End:
    """Install all binary packages that can be, in a fresh chroot."""
    debs = list((rig.archive / "pool").rglob("*.deb"))
    words = [f"{d.name.split('_')[0]}={_version(d)}" for d in debs if "-dbgsym" not in d.name]
    shutil.rmtree(place / "apt", ignore_errors=True)
    (place / "apt").mkdir()
    with served(rig.archive) as address:
        instance = Instance(place / "apt", series)
        instance.add_archive(rig.run("archive", "sources", "--url", address).stdout)
        out = instance.run(f"apt-get install -q -y {' '.join(words)} && echo it=ok", ok=False)
    shutil.rmtree(place / "apt", ignore_errors=True)
    if "it=ok" in out:
        return End(package, "installed")
    return End(package, "apt", "?", said=out[-1500:])


def _version(deb: Path) -> str:
    done = subprocess.run(
        ["dpkg-deb", "--field", deb, "Version"], capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def _whose(rig: Rig, text: str) -> tuple[str, str]:
    """Return the stage that a release did not pass, and by whose fault."""
    with sqlite3.connect(next(rig.state.glob("*.sqlite*"))) as database:
        rows = database.execute(
            "SELECT stage FROM result WHERE outcome NOT IN ('done', 'skipped') ORDER BY rowid DESC"
        ).fetchall()
    stage = str(rows[0][0]) if rows else "?"
    if stage in ("package", "build"):
        for told, fault in ((_LACKS, "the series"), (_ABSENT, "the mirror")):
            if told.search(text):
                return stage, fault
    return stage, FAULTS.get(stage, "?")


def _short(text: str) -> str:
    return " ".join(text.split())[:160]


def _share_lists(rig: Rig, folder: Path) -> None:
    """Let all set-ups of a series use the archives' lists of the first one."""
    (folder / "lists-of-all").mkdir(exist_ok=True)
    rig.state.mkdir(mode=0o700, exist_ok=True)
    (rig.state / "apt").symlink_to(folder / "lists-of-all")


if __name__ == "__main__":
    sys.exit(main())
