"""Read a tree's terms: its license texts, its metadata, its files, and its third-party components.

The tree is hostile. Nothing outside it is read, no file is read beyond its bound, and what cannot
be read becomes a problem that somebody must look at.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from toolsync.license import components, hints, metadata, names, normalise
from toolsync.license.found import DIGITS, MAX_OPINIONS, MAX_TEXTS, Found
from toolsync.license.terms import File, LicenseText, Terms, Told
from toolsync.license.texts import take_text
from toolsync.license.walk import walk

_SCRIPT = re.compile(rb"#![ \t]*/\S+[^\n]*\n")


@dataclass(frozen=True, slots=True, kw_only=True)
class Scan:
    """A tree's terms, and where its unexplained contents lie while it is open."""

    terms: Terms
    unexplained: Mapping[str, Path]
    """By digest: files that speak of a license, but not in words that are known here."""

    def explained(self, told: Mapping[str, tuple[str, ...]]) -> Terms:
        """Return the terms with what a detector told, by digest."""
        here = {file.digest for file in self.terms.files}
        items = (
            Told(digest=digest, ids=ids)
            for digest, ids in sorted(told.items())
            if ids and digest in here
        )
        return replace(self.terms, told=tuple(items))


def scan(top: Path, *, before: Terms | None = None) -> Scan:
    """Read the tree below ``top``; what is as in ``before`` is not looked at again."""
    found = Found(own=names.plain_name(top.name))
    seen = {(file.path, file.digest): file.ids for file in before.files} if before else {}
    for path, place, info in walk(top, found):
        _take(found, path, place, info, seen)
    _promote(found)
    terms = Terms(
        mains=_sorted(found.texts[names.MAIN]),
        notices=_sorted(found.texts[names.NOTICE]),
        nested=_sorted(found.texts[names.NESTED]),
        files=tuple(sorted(found.files, key=lambda file: file.path)),
        components=components.of(found.files, found.parts),
        declared=tuple(sorted(found.declared, key=lambda item: (item.path, item.value))),
        requires=tuple(sorted(found.requires)),
        problems=tuple(sorted(found.all_problems(), key=lambda item: (item.path, item.reason))),
        size=found.size,
    )
    return Scan(terms=terms, unexplained=found.unexplained)


def _sorted(texts: Iterable[LicenseText]) -> tuple[LicenseText, ...]:
    return tuple(sorted(texts, key=lambda text: (text.path, text.fingerprint)))


def _take(
    found: Found,
    path: str,
    place: Path,
    info: os.stat_result,
    seen: Mapping[tuple[str, str], tuple[str, ...]],
) -> None:
    """Read one file: as a license text, as metadata, and for its header."""
    canonical = names.canonical(path)
    kind, certain = names.role(canonical)
    try:
        if kind and found.text_count >= MAX_TEXTS:
            found.trouble(
                path,
                f"is one of more than {MAX_TEXTS} license files; not looked at"
                f" (SHA-256 {_read(place)[1]})",
            )
            return
        head, digest = _read(place)
    except OSError as error:
        found.trouble(path, f"cannot be read: {error.strerror}")
        return
    found.size += info.st_size
    if not certain and _SCRIPT.match(head):
        kind = ""  # a program that is named after what it works on
    if kind:
        take_text(found, (canonical, path, digest), kind, head, info.st_size, certain=certain)
    if metadata.is_metadata(canonical):
        _take_metadata(found, canonical, head, digest)
    parts = components.in_file(canonical, head, digest)
    found.parts.extend(part for part in parts if part.name != found.own)
    short = digest[:DIGITS]
    ids = seen.get((canonical, short))
    if ids is None:
        binary = components.is_binary(head)
        ids = () if binary else hints.ids(head, path=canonical)
        if not ids and not kind and not binary and hints.wants_explanation(head, canonical):
            found.unexplained[short] = place
    if kind and found.opinions < MAX_OPINIONS and _is_unknown(found, kind, path):
        found.opinions += 1
        found.unexplained[short] = place
    found.files.append(File(path=canonical, digest=short, ids=ids))


def _is_unknown(found: Found, kind: str, path: str) -> bool:
    """Say whether the file that was just read is a license text that is not known."""
    last = found.texts[kind][-1:]
    return bool(last) and last[0].file == path and bool(last[0].words) and not last[0].id


def _read(place: Path) -> tuple[bytes, str]:
    """Return what of a file is looked at, and the SHA-256 of all of it."""
    keep = normalise.TEXT_BYTES + 1
    hasher = hashlib.sha256()
    with place.open("rb") as file:
        head = file.read(keep)
        hasher.update(head)
        tail = b""
        while data := file.read(1024 * 1024):
            hasher.update(data)
            tail = (tail + data)[-hints.TAIL_BYTES :]
    return head + tail, hasher.hexdigest()


def _take_metadata(found: Found, canonical: str, data: bytes, digest: str) -> None:
    if len(data) > metadata.FILE_BYTES:
        found.trouble(
            canonical,
            f"has more than {metadata.FILE_BYTES} bytes, too many for metadata (SHA-256 {digest})",
        )
        return
    try:
        declared, requires = metadata.read(canonical, data)
    except (ValueError, RecursionError):
        found.trouble(
            canonical,
            f"is not of its own format, so its license field says nothing (SHA-256 {digest})",
        )
        return
    found.declared.extend(declared)
    found.requires.update(requires)


def _promote(found: Found) -> None:
    """Take the texts one folder down as the main ones where the top has none."""
    if found.texts[names.MAIN]:
        return
    nested = found.texts[names.NESTED]
    near = [
        text
        for text in nested
        if text.path.count("/") == 1
        and names.role(text.path.rpartition("/")[2])[0] == names.MAIN
        and not names.vendored(text.path)[1]
    ]
    tops = Counter(file.path.partition("/")[0] for file in found.files)
    for text in near:
        # A folder that holds little of the tree cannot speak for it.
        if tops[text.path.partition("/")[0]] * 2 > len(found.files):
            nested.remove(text)
            found.texts[names.MAIN].append(text)
