"""Identify license files of real origs, and compare with what their readers call them.

``python -m tests.tools.license_texts --cache DIR`` reads ``license_texts.txt`` beside it. The
source packages come by ``apt-get source --download-only``, from the archive of `SUITE`, proved by
its keyring; nothing of them is unpacked but the files that are named. Ends with status 1 where a
file is taken for what it is not, or where more than `MAY_FAIL` are not identified.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tarfile
from pathlib import Path

from toolsync.license import known, normalise
from toolsync.license.identify import identify

SUITE = "bookworm"
MIRROR = "http://deb.debian.org/debian"
KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
MAY_FAIL = 2
TRIES = 4
"""Of one package: mirrors now and then break off."""


def main() -> int:
    """Identify all and return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cache", type=Path, required=True)
    parser.add_argument("--mirror", default=MIRROR)
    given = parser.parse_args()
    rows = [line.split(" ", 2) for line in _list() if not line.startswith("#")]
    settings = _apt(given.cache.resolve(), given.mirror)
    wrong = missed = 0
    for package, path, wanted in rows:
        data = _member(_orig(given.cache.resolve(), package, settings), path)
        text = normalise.decode(data) or ""
        found = known.identify(normalise.read(data).words, known.first_words(text)).id
        found = found or identify(text, work=package)
        wrong += bool(found) and found != wanted
        missed += not found
        mark = "ok " if found == wanted else "BAD" if found else "-- "
        sys.stdout.write(f"{mark} {package:<34} {path:<18} {found or f'not known ({wanted})'}\n")
    sys.stdout.write(f"{len(rows) - missed - wrong} of {len(rows)} identified, {wrong} wrongly\n")
    return 0 if not wrong and missed <= MAY_FAIL else 1


def _list() -> list[str]:
    return Path(__file__).with_suffix(".txt").read_text(encoding="utf-8").splitlines()


def _apt(cache: Path, mirror: str) -> dict[str, str]:
    """Make settings of apt's own for this folder, and bring the lists of sources."""
    for folder in ("lists/partial", "archives/partial"):
        (cache / folder).mkdir(parents=True, exist_ok=True)
    (cache / "sources.list").write_text(f"deb-src [signed-by={KEYRING}] {mirror} {SUITE} main\n")
    settings = cache / "apt.conf"
    settings.write_text(
        f'Dir::Etc::sourcelist "{cache}/sources.list";\nDir::Etc::sourceparts "/nonexistent";\n'
        f'Dir::State::lists "{cache}/lists";\nDir::Cache "{cache}";\n'
        'APT::Sandbox::User "root";\nAcquire::Retries "3";\n'
    )
    env = {**os.environ, "APT_CONFIG": str(settings)}
    if not list((cache / "lists").glob("*Sources*")):
        subprocess.run(["apt-get", "-qq", "update"], env=env, check=True, timeout=300)
    return env


def _orig(cache: Path, package: str, env: dict[str, str]) -> Path:
    """Return a package's main tarball, fetched where it is not there yet."""

    def there() -> list[Path]:
        found = cache.glob(f"{package}_*.orig.tar.*")
        return sorted(path for path in found if path.suffix != ".asc")

    argv = ["apt-get", "-qq", "source", "--download-only", "--only-source", package]
    for _ in range(TRIES):
        if not there():
            subprocess.run(argv, env=env, cwd=cache, check=False, timeout=300, capture_output=True)
    return there()[0]


def _member(orig: Path, path: str) -> bytes:
    with tarfile.open(orig) as archive:
        for member in archive:
            if member.isfile() and member.name.removeprefix("./").partition("/")[2] == path:
                file = archive.extractfile(member)
                return file.read() if file else b""
    return b""


if __name__ == "__main__":
    sys.exit(main())
