"""Indices under their digests' names, so that a reader between two generations gets what fits.

apt reads InRelease and then, by names that never change, indices: after the link was turned in
between, these are others than the ones that it knows the digests of. Where a Release file says
``Acquire-By-Hash: yes``, apt asks for ``by-hash/SHA256/DIGEST`` beside the index instead (Debian's
repository format). reprepro knows nothing of that; here its Release files get the field and
their indices these names, before they are signed and long before they are shown.

An index that is replaced stays under its digest for `KEPT`: the time of its file is when a change
last found it named. Such a file is never changed, so generations share it by hard links.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from pathlib import Path

from toolsync.system.store import digest_of

KEPT = timedelta(days=2)
"""How long an index can be had after another took its place: a proxy's or a mirror's delay."""
FIELD = "Acquire-By-Hash: yes\n"
_SUM = re.compile(r"^ ([0-9a-f]{64}) +(\d+) +(\S+)$", re.MULTILINE)


def listed(text: str) -> Mapping[str, tuple[int, str]]:
    """Return bytes and sha256 of each index that a Release file's text names."""
    return {name: (int(size), digest) for digest, size, name in _SUM.findall(text)}


def place(name: str, digest: str) -> str:
    """Return under what name an index can be had by its digest, both below the series' folder."""
    return str(Path(name).parent / "by-hash" / "SHA256" / digest)


def kept(folder: Path) -> Iterator[Path]:
    """Yield all files below ``folder`` that are called by their digests."""
    yield from folder.rglob("by-hash/SHA256/*")


def copy_indices(present: Path, fresh: Path, now: datetime) -> None:
    """Copy a generation's ``dists``, and note that its indices were still named ``now``."""

    def copied(source: str, target: str) -> None:
        if "/by-hash/" in source:
            _shared(Path(source), Path(target))
        else:
            shutil.copy2(source, target)

    shutil.copytree(present, fresh, copy_function=copied)
    for release in fresh.glob("*/Release"):
        for name, (_, digest) in listed(release.read_text(encoding="utf-8")).items():
            path = release.parent / place(name, digest)
            if path.exists():
                os.utime(path, (now.timestamp(),) * 2)


def rescue_indices(present: Path, fresh: Path) -> None:
    """Copy only what is called by its digest, and has it: an archive is about to be rebuilt."""
    for path in kept(present):
        if path.is_file() and digest_of(path)[0] == path.name:
            target = fresh / path.relative_to(present)
            target.parent.mkdir(parents=True, exist_ok=True)
            _shared(path, target)


def _shared(source: Path, target: Path) -> None:
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)


def add_digest_names(suite: Path, now: datetime) -> None:
    """Give a series' fresh Release the field, and its indices their digests' names.

    Those that it names no longer go where they were replaced `KEPT` ago. Signatures are due after.
    """
    release = suite / "Release"
    text = release.read_text(encoding="utf-8")
    if FIELD not in text:
        text = re.sub(r"(?m)^(Date: .*\n)", rf"\1{FIELD}", text, count=1)
        release.write_text(text, encoding="utf-8")
    named = set()
    for name, (_, digest) in listed(text).items():
        if (suite / name).is_file():  # reprepro names plain indices that it does not write
            named.add(path := suite / place(name, digest))
            if not path.is_file() or digest_of(path)[0] != digest:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.unlink(missing_ok=True)
                shutil.copy(suite / name, path)
    for path in kept(suite):
        if path not in named and path.stat().st_mtime < (now - KEPT).timestamp():
            path.unlink()
