"""Read the indices that an archive folder serves, as files, without asking any program."""

from __future__ import annotations

import gzip
import hashlib
import re
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from functools import cmp_to_key
from pathlib import Path
from typing import Any

from toolsync.model.errors import Damaged

_SIGNED_EACH_DAY = re.compile(
    rb"^(?:Date|Valid-Until):[^\n]*\n|^-----BEGIN PGP SIGNATURE-----.*", re.MULTILINE | re.DOTALL
)

_NAMES = re.compile(r"^(Package|Source):[ \t]*(\S+)", re.MULTILINE)
"""The fields of a paragraph that name its source package; that of Sources has Package alone."""


def release_digest(root: Path, series: str) -> str:
    """Return the sha256 of a series' InRelease, empty when it is not served.

    Where belief in it ends, it is signed anew each day: then only what it says counts, without its
    times and its signature, so that a day's signature is no change of the archive.
    """
    try:
        content = (root / "dists" / series / "InRelease").read_bytes()
    except FileNotFoundError:
        return ""
    if re.search(rb"^Valid-Until:", content, re.MULTILINE):
        content = _SIGNED_EACH_DAY.sub(b"", content)
    return hashlib.sha256(content).hexdigest()


def digests(root: Path, series: str) -> Mapping[str, str]:
    """Return a digest of all that a series' indices say of each source package, by its name.

    What is added to or taken from others changes none of it. Raises Damaged.
    """
    said: dict[str, list[bytes]] = {}
    folder = root / "dists" / series
    for pattern in ("*/source/Sources.gz", "*/binary-*/Packages.gz"):
        for path in sorted(folder.glob(pattern)):
            place = str(path.relative_to(folder))
            for paragraph in _text(path).split("\n\n"):
                names = dict(_NAMES.findall(paragraph))
                if name := names.get("Source") or names.get("Package"):
                    digest = hashlib.sha256(f"{place}\n{paragraph.strip()}".encode()).digest()
                    said.setdefault(name, []).append(digest)
    return {
        name: hashlib.sha256(b"".join(sorted(parts))).hexdigest() for name, parts in said.items()
    }


def valid_until(root: Path, series: str) -> datetime | None:
    """Return when a series' index is to be believed no longer, None where it says no end."""
    try:
        text = (root / "dists" / series / "InRelease").read_text(errors="replace")
    except FileNotFoundError:
        return None
    return until(text)


def until(release: str) -> datetime | None:
    """Return the end that the text of a Release file says, None where there is none."""
    found = re.search(r"^Valid-Until: *(.+)$", release, re.MULTILINE)
    return parsedate_to_datetime(found[1]) if found else None


def served(root: Path, series: str) -> Mapping[str, str]:
    """Return the sha256 of every file that the indices of a series name, by file name."""
    found: dict[str, str] = {}
    for paragraph in _paragraphs(root, series, "*/source/Sources.gz"):
        for entry in paragraph["Checksums-Sha256"]:
            found[entry["name"]] = entry["sha256"]
    for paragraph in _paragraphs(root, series, "*/binary-*/Packages.gz"):
        found[paragraph["Filename"].rpartition("/")[2]] = paragraph["SHA256"]
    return found


def architectures(root: Path, source: str, series: str) -> frozenset[str]:
    """Return the architectures for which a series has packages of a source package's own."""
    return frozenset(
        paragraph["Architecture"]
        for paragraph in _paragraphs(root, series, "*/binary-*/Packages.gz")
        if paragraph.get("Source", paragraph["Package"]).split()[0] == source
    ) - {"all"}


def newest(root: Path, source: str, series: str) -> str | None:
    """Return the newest version of a source package in a series, None if it has none."""
    best: str | None = None
    for paragraph in _paragraphs(root, series, "*/source/Sources.gz"):
        version = str(paragraph["Version"])
        if paragraph["Package"] == source and (best is None or is_older(best, version)):
            best = version
    return best


def sources(root: Path, series: str) -> Iterator[tuple[str, str]]:
    """Give name and version of every source package in a series."""
    for paragraph in _paragraphs(root, series, "*/source/Sources.gz"):
        yield paragraph["Package"], paragraph["Version"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """One package that the index of a series names."""

    series: str
    component: str
    kind: str
    """``dsc`` or ``deb``, as reprepro calls them."""
    name: str
    version: str
    source: str
    """The source package that it is, or was built of."""
    binaries: tuple[str, ...] = ()
    """Of a source package: the binary packages that it says it has."""


def entries(root: Path) -> Iterator[Served]:
    """Give every package that is served, of all series, those too that no set-up names.

    One that several architectures have stands there once.
    """
    yield from dict.fromkeys(_entries(root))


def _entries(root: Path) -> Iterator[Served]:
    for release in sorted((root / "dists").glob("*/InRelease")):
        series = release.parent.name
        for path in sorted(release.parent.glob("*/source/Sources.gz")):
            for found in _read(path):
                yield Served(
                    series=series,
                    component=path.parts[-3],
                    kind="dsc",
                    name=found["Package"],
                    version=found["Version"],
                    source=found["Package"],
                    binaries=tuple(re.split(r"[\s,]+", found["Binary"].strip())),
                )
        for path in sorted(release.parent.glob("*/binary-*/Packages.gz")):
            for found in _read(path):
                yield Served(
                    series=series,
                    component=path.parts[-3],
                    kind="deb",
                    name=found["Package"],
                    version=found["Version"],
                    source=found.get("Source", found["Package"]).split()[0],
                )


def is_older(version: str, other: str) -> bool:
    """Say whether the first Debian version sorts before the second (Policy 5.6.12)."""
    return _compare(version, other) < 0


def _compare(version: str, other: str) -> int:
    from debian.debian_support import version_compare

    return int(version_compare(version, other))


order = cmp_to_key(_compare)
"""A key that sorts Debian versions."""


def _paragraphs(root: Path, series: str, pattern: str) -> Iterator[Any]:
    for path in sorted((root / "dists" / series).glob(pattern)):
        yield from _read(path)


def _read(path: Path) -> Iterator[Any]:
    # A heavy import, so it is made where an index is really read.
    from debian.deb822 import Packages, Sources

    kind: Any = Sources if path.name == "Sources.gz" else Packages
    yield from kind.iter_paragraphs(_text(path), use_apt_pkg=False)


def _text(path: Path) -> str:
    """Return an index, read to its end: python-debian takes what is cut off for one that ended."""
    try:
        return gzip.decompress(path.read_bytes()).decode("utf-8")
    except (OSError, EOFError, ValueError, zlib.error) as error:
        raise Damaged(
            f"the archive's index {path} cannot be read: {error}",
            resolution="toolsync archive repair rebuilds the archive from the store.",
        ) from error
