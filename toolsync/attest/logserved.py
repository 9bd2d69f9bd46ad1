"""See that all that an archive serves is in its log: what apt would install is what evidence names.

Read by the files alone, as apt does: the signed index of each series, the lists that it names.
"""

from __future__ import annotations

import hashlib
import re
import zlib
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

from toolsync.attest.check import BAD, GOOD, Check
from toolsync.attest.tiles import Get
from toolsync.model.errors import ToolsyncError, Unverified
from toolsync.system.gpg import open_signed

_MOST = 256 * 1024 * 1024
"""Bytes of a list."""
_LIST = re.compile(r"^ ([0-9a-f]{64}) +\d+ +(\S+/(?:Packages|Sources)\.gz)$", re.MULTILINE)


def check_served(
    get: Get,
    series: Collection[str],
    *,
    subjects: Collection[str],
    own: str,
    keys: Sequence[Path],
    folder: Path,
) -> Iterator[Check]:
    """Yield a check for each series: that every package in it is one of ``subjects``.

    ``get`` reads files of the archive, ``own`` is the source package of the archive's keyring,
    which no evidence is about.
    """
    for name in sorted(series):
        place = f"dists/{name}"
        try:
            found = dict(_packages(get, place, own, keys, folder))
        except ToolsyncError as error:
            yield Check(place=place, verdict=BAD, sentence=str(error))
            continue
        strange = sorted(file for file, digest in found.items() if digest not in subjects)
        if strange:
            more = f" and {len(strange) - 5} more" if len(strange) > 5 else ""
            said = f"serves what no evidence in the log is about: {', '.join(strange[:5])}{more}"
            yield Check(place=place, verdict=BAD, sentence=said)
        else:
            said = f"all {len(found)} packages that it serves are in the log's evidence"
            yield Check(place=place, verdict=GOOD, sentence=said)


def _packages(
    get: Get, place: str, own: str, keys: Sequence[Path], folder: Path
) -> Iterator[tuple[str, str]]:
    """Yield name and sha256 of each .deb and .dsc that a series serves."""
    release, text = folder / "InRelease", folder / "Release"
    release.write_bytes(get(f"{place}/InRelease", _MOST))
    judged = open_signed(release, keys, text)
    if not any(signature.status == "good" for signature in judged):
        raise Unverified(f"{place}/InRelease is signed by none of the named keys")
    for digest, name in _LIST.findall(text.read_text(encoding="utf-8", errors="replace")):
        data = get(f"{place}/{name}", _MOST)
        if hashlib.sha256(data).hexdigest() != digest:
            raise Unverified(f"{place}/{name} is not as InRelease states it")
        yield from _in_list(_unpacked(data, f"{place}/{name}"), own)


def _in_list(text: str, own: str) -> Iterator[tuple[str, str]]:
    from debian.deb822 import Sources

    for paragraph in Sources.iter_paragraphs(text, use_apt_pkg=False):
        if own in (paragraph.get("Package"), paragraph.get("Source")):
            continue
        if "Filename" in paragraph:
            yield paragraph["Filename"].rpartition("/")[2], paragraph["SHA256"]
        for entry in paragraph.get("Checksums-Sha256", ()):
            if entry["name"].endswith(".dsc"):
                yield entry["name"], entry["sha256"]


def _unpacked(data: bytes, place: str) -> str:
    out = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
    try:
        text = out.decompress(data, _MOST)
    except zlib.error as error:
        raise Unverified(f"{place} cannot be read: {error}") from error
    if out.unconsumed_tail or not out.eof:
        raise Unverified(f"{place} is cut off, or has more than {_MOST:,} bytes")
    return text.decode("utf-8", errors="replace")
