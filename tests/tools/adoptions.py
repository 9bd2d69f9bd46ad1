"""Adopt real packages of Debian and take their next release to apt, unattended: ``make adoptions``.

    python -m tests.tools.adoptions --cache DIR [--at-once 2] [--older] [NAME]…

``adoptions.txt`` beside this names source packages of bookworm whose upstream is newer in trixie.
Of each, trixie's orig tarball (with upstream's signature, where Debian has it) is what its upstream
offers, on the loopback, at the addresses that the debian/watch of both series name. Then `toolsync
adopt apt:NAME` and `toolsync sync NAME` have to bring it to an archive for bookworm, and apt in a
fresh chroot has to install it from there. With ``--older`` bookworm's own packaging is adopted,
as where no archive has any of the release. All come by apt-get source, verified by its keyring.
Printed is where each has ended, by whose fault and in how many seconds, and whose packaging it has
(B bookworm's, T trixie's); whole messages are in DIR/NAME/said, and of DIR/NAME/end.json
`adoptions_table` writes docs/reference/adoptions.md.
Ends with status 1 where fewer than `WANTED` of 30 got there. Needs root.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import sqlite3
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from tests.servers.upstreams import Offer, Upstreams
from tests.slow.test_clean import served
from tests.support.chroots import Instance, make_chroot
from tests.support.rig import Rig
from tests.support.rig import environment as rig_environment

WANTED = 2 / 3
_ADOPTING = threading.Lock()
"""All set-ups have the archives' lists in common, which one after the other may renew."""
SERIES, LATER = "bookworm", "trixie"
MIRROR = "http://deb.debian.org/debian"
KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
TRIES = 3
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
class Package:
    """A line of the list."""

    name: str
    old: str
    new: str
    """Versions of Debian's packages, of bookworm and trixie."""
    language: str


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
    """``B`` or ``T``: the series that it is of."""


def main() -> int:
    """Take all, print a table, and return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*")
    parser.add_argument("--cache", type=Path, required=True)
    parser.add_argument("--at-once", type=int, default=2)
    parser.add_argument("--older", action="store_true")
    given = parser.parse_args()
    cache = given.cache.resolve()
    lines = Path(__file__).with_suffix(".txt").read_text(encoding="utf-8").splitlines()
    listed = [Package(*line.split()) for line in lines if not line.startswith("#")]
    known = {one.name: one for one in listed}
    wanted = [known[name] for name in given.names] if given.names else listed
    sources, where = _apt(cache), f"/{SERIES}" if given.older else ""
    make_chroot(cache / "work")
    with Upstreams(cache / "keys") as there, ThreadPoolExecutor(given.at_once) as pool:
        ends = list(pool.map(lambda one: _timed(one, cache, sources, there, where), wanted))
    good = sum(end.stage == "installed" for end in ends)
    _print(f"{good} of {len(ends)} were installed by apt, unattended")
    for end in ends:
        if end.said:
            _print(f"\n{end.package.name}: {end.said.strip()[:1500]}")
    return 0 if good >= WANTED * len(ends) else 1


def _print(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def _timed(
    package: Package, cache: Path, sources: dict[str, str], there: Upstreams, where: str
) -> End:
    begun = time.monotonic()
    try:
        end = _taken(package, cache, sources, there, where)
    except (AssertionError, LookupError, OSError, subprocess.SubprocessError) as error:
        end = End(package, "?", "?", said=f"{type(error).__name__}: {error}"[-3000:])
    end = replace(end, seconds=time.monotonic() - begun)
    _keep(end, cache / package.name / "end.json")
    old, new = package.old.partition(":")[2] or package.old, package.new
    _print(
        f"{package.name:<30} {old:<20} → {new:<22} {package.language:<10} {end.packaging}"
        f" {end.stage:<10} {end.fault:<10} {end.seconds:>5.0f} s  {_short(end.said)}"
    )
    return end


def _keep(end: End, path: Path) -> None:
    """Write down where a package ended, for the table."""
    kept = {key: value for key, value in asdict(end).items() if key != "package"}
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps({**kept, "day": f"{datetime.now(UTC):%Y-%m-%d}"}))


def _taken(
    package: Package, cache: Path, sources: dict[str, str], there: Upstreams, where: str
) -> End:
    """Adopt a package, sync it and install it; return where that has ended."""
    place = cache / package.name
    shutil.rmtree(place / "rig", ignore_errors=True)
    watches, orig, signature = _upstream(package, cache / "sources" / package.name, sources)
    version = package.new.partition(":")[2] or package.new
    version = re.sub(r"\+(?:dfsg|ds|repack)[\d.]*$", "", version.rpartition("-")[0])
    offer, *others = [Offer(package.name, version, watch, orig, signature) for watch in watches]
    there.offer(offer)
    for other in others:
        with suppress(LookupError):  # then its packaging is passed over
            there.offer(other)
    environment = there.environment(offer)
    rig = Rig(place / "rig", SETTINGS.replace("SOURCES", str(cache / "adopt.sources")))
    _share_lists(rig, cache)
    with _ADOPTING:
        done = _run(rig, environment, "adopt", f"apt:{package.name}{where}")
    said = done.stdout + done.stderr
    (place / "said").write_text(said)
    if done.returncode:
        return End(package, "adopt", "?", said=said)
    taken = "T" if f"apt:{package.name}/{LATER}" in _first_row(said) else "B"
    done = _run(rig, environment, "sync", package.name, "--json")
    (place / "said").write_text(f"{said}\n{done.stdout}\n{done.stderr}")
    (row,) = json.loads(done.stdout) if done.stdout.strip() else [{}]
    if row.get("status") != "up-to-date" or row.get("newest") != version:
        text = f"{row.get('status')} {row.get('newest')}: {row.get('message') or done.stderr}"
        stage, fault = _whose(rig, text)
        return End(package, stage, fault, said=text, packaging=taken)
    return replace(_installed(package, rig, place), packaging=taken)


def _first_row(said: str) -> str:
    return next((line for line in said.splitlines() if line.startswith("  packaging ")), "")


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


def _installed(package: Package, rig: Rig, place: Path) -> End:
    """Install all binary packages that can be, in a fresh chroot."""
    debs = list((rig.archive / "pool").rglob("*.deb"))
    words = [f"{d.name.split('_')[0]}={_version(d)}" for d in debs if "-dbgsym" not in d.name]
    shutil.rmtree(place / "apt", ignore_errors=True)
    (place / "apt").mkdir()
    with served(rig.archive) as address:
        instance = Instance(place / "apt", SERIES)
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


def _share_lists(rig: Rig, cache: Path) -> None:
    """Let all set-ups use the archives' lists of the first one."""
    (cache / "lists-of-all").mkdir(exist_ok=True)
    rig.state.mkdir(mode=0o700, exist_ok=True)
    (rig.state / "apt").symlink_to(cache / "lists-of-all")


def _upstream(
    package: Package, place: Path, sources: dict[str, str]
) -> tuple[list[str], Path, Path | None]:
    """Return the debian/watch of bookworm, then of trixie, and trixie's orig with its signature.

    Of trixie's packaging there may be nothing: then it is not to be had from here.
    """
    for series, version in ((SERIES, package.old), (LATER, package.new)):
        folder = place / series
        folder.mkdir(parents=True, exist_ok=True)
        what = f"{package.name}={version}"
        argv = ["apt-get", "-qq", "source", "--download-only", "--only-source", what]
        for _ in range(TRIES):
            if not list(folder.glob("*.orig.tar.*")):
                subprocess.run(
                    argv, env=sources, cwd=folder, check=False, timeout=600, capture_output=True
                )
    tarballs = [next((place / name).glob("*.debian.tar.*"), None) for name in (SERIES, LATER)]
    watches = [
        subprocess.run(
            ["tar", "-xOf", tarball, "debian/watch"], capture_output=True, text=True, check=True
        ).stdout
        for tarball in tarballs
        if tarball
    ]
    files = sorted((place / LATER).glob("*.orig.tar.*"))
    origs = [path for path in files if path.suffix != ".asc"]
    if not (watches and len(origs) == 1):
        raise LookupError(
            f"the mirror gave {'' if watches else 'no '}packaging of {package.name} and"
            f" {len(origs)} orig tarballs of {package.new}; wanted packaging and one"
        )
    (orig,) = origs
    return watches, orig, next((path for path in files if path.suffix == ".asc"), None)


def _apt(cache: Path) -> dict[str, str]:
    """Return an environment in which apt knows the source packages of both series."""
    for folder in ("lists/partial", "archives/partial"):
        (cache / folder).mkdir(parents=True, exist_ok=True)
    rows = [f"deb-src [signed-by={KEYRING}] {MIRROR} {name} main\n" for name in (SERIES, LATER)]
    (cache / "sources.list").write_text("".join(rows))
    stanzas = [
        f"Types: deb deb-src\nURIs: {MIRROR}\nSuites: {name}\nComponents: main\n"
        f"Signed-By: {KEYRING}\n"
        for name in (SERIES, LATER)
    ]
    (cache / "adopt.sources").write_text("\n".join(stanzas))
    settings = cache / "apt.conf"
    settings.write_text(
        f'Dir::Etc::sourcelist "{cache}/sources.list";\nDir::Etc::sourceparts "/nonexistent";\n'
        f'Dir::State::lists "{cache}/lists";\nDir::Cache "{cache}";\n'
        'APT::Sandbox::User "root";\nAcquire::Retries "3";\n'
    )
    env = {**os.environ, "APT_CONFIG": str(settings)}
    if not list((cache / "lists").glob("*Sources*")):
        subprocess.run(["apt-get", "-qq", "update"], env=env, check=True, timeout=600)
    return env


if __name__ == "__main__":
    sys.exit(main())
