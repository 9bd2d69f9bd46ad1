"""Read a tree's terms: its license texts, its metadata, its files, and its third-party components.

The tree is hostile. Nothing outside it is read, no file is read beyond its bound, and what cannot
be read becomes a problem that somebody must look at.
"""

from __future__ import annotations

import hashlib
import os
import re
import stat
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from toolsync.archives.member import as_text
from toolsync.license import components, hints, known, metadata, names, normalise
from toolsync.license.identify import identify
from toolsync.license.machinereadable import Stated, is_machine_readable
from toolsync.license.machinereadable import stated as machine_readable
from toolsync.license.terms import (
    KEPT_WORDS,
    Component,
    Declared,
    File,
    LicenseText,
    Problem,
    Terms,
    Told,
)

MAX_TEXTS = 5_000
"""License texts in one tree; honest trees have hundreds at most."""
MAX_TEXT_BYTES = 64 * 1024 * 1024
"""Of all license texts together."""
MAX_FILES = 500_000
MAX_PROBLEMS = 200
MAX_OPINIONS = 40
"""License texts that are not known and that a detector is asked about, those at the top first."""
DIGITS = 32
"""Hex digits of a file's digest that are kept: enough against accident and attack (128 bits)."""


_SCRIPT = re.compile(rb"#![ \t]*/\S+[^\n]*\n")


@dataclass(slots=True)
class _Found:
    """What was read so far."""

    own: str = ""
    """The project's name, as its top folder has it."""
    texts: dict[str, list[LicenseText]] = field(
        default_factory=lambda: {names.MAIN: [], names.NOTICE: [], names.NESTED: []}
    )
    files: list[File] = field(default_factory=list)
    declared: list[Declared] = field(default_factory=list)
    requires: set[str] = field(default_factory=set)
    problems: list[Problem] = field(default_factory=list)
    unexplained: dict[str, Path] = field(default_factory=dict)
    parts: list[Component] = field(default_factory=list)
    size: int = 0
    text_bytes: int = 0
    text_count: int = 0

    stated: dict[str, Stated] = field(default_factory=dict)
    """What texts are, by their words."""
    opinions: int = 0
    """License texts for which a detector is asked, since they are not known here."""
    untold: int = 0
    """Problems beyond those that are told one by one."""
    untold_digest: hashlib._Hash = field(default_factory=hashlib.sha256)

    def trouble(self, path: str, reason: str) -> None:
        """Note a problem; beyond ``MAX_PROBLEMS`` they are only counted."""
        if len(self.problems) < MAX_PROBLEMS:
            self.problems.append(Problem(path=path, reason=reason))
        else:
            self.untold += 1
            self.untold_digest.update(f"{path}\0{reason}\n".encode(errors="replace"))

    def all_problems(self) -> list[Problem]:
        """Return all problems; those that are too many as one, which names them by a digest."""
        if not self.untold:
            return self.problems
        digest = self.untold_digest.hexdigest()[:DIGITS]
        reason = f"has {self.untold} more files that could not be read (digest {digest})"
        return [*self.problems, Problem(path="", reason=reason)]


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
    found = _Found(own=names.plain_name(top.name))
    seen = {(file.path, file.digest): file.ids for file in before.files} if before else {}
    for path, place, info in _walk(top, found):
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


def _walk(top: Path, found: _Found) -> Iterator[tuple[str, Path, os.stat_result]]:
    """Yield every file by its path below ``top``, and what a link of a license's name leads to."""
    root = top.resolve()
    folders = [""]
    count = 0
    while folders:
        folder = folders.pop()
        try:
            entries = sorted(os.scandir(root / folder), key=lambda entry: entry.name)
        except OSError as error:
            found.trouble(as_text(folder), f"cannot be read: {error.strerror}")
            continue
        for entry in entries:
            below = f"{folder}/{entry.name}" if folder else entry.name
            path = as_text(below)
            count += 1
            if count > MAX_FILES:
                found.trouble("", f"has more than {MAX_FILES} files; the rest was not looked at")
                return
            if entry.is_symlink():
                place = _followed(root, Path(entry.path), path, found)
            elif entry.is_dir():
                if entry.name not in (".git", ".hg", ".svn", ".bzr"):
                    folders.append(below)
                continue
            else:
                place = Path(entry.path)
            if place is not None and _plain(place, path, found):
                yield path, place, place.stat()


def _plain(place: Path, path: str, found: _Found) -> bool:
    """Say whether it is a regular file; a pipe would make the reader wait for ever."""
    if stat.S_ISREG(place.stat().st_mode):
        return True
    if names.role(names.canonical(path))[0]:
        found.trouble(path, "has a license file's name but is no plain file")
    return False


def _followed(root: Path, link: Path, path: str, found: _Found) -> Path | None:
    """Return the file inside the tree that a link with a license file's name leads to, or None."""
    if not names.role(names.canonical(path))[0]:
        return None
    try:
        target = link.resolve(strict=True)
    except (OSError, RuntimeError):
        found.trouble(path, "is a link to nothing")
        return None
    if not target.is_relative_to(root):
        found.trouble(path, "is a link that leads out of the tree")
        return None
    return target if target.is_file() else None


def _take(
    found: _Found,
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
        _take_text(found, (canonical, path, digest), kind, head, info.st_size, certain=certain)
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


def _is_unknown(found: _Found, kind: str, path: str) -> bool:
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


def _take_text(
    found: _Found, named: tuple[str, str, str], kind: str, data: bytes, size: int, *, certain: bool
) -> None:
    """Add a license text, if the content is one where the name is not certain."""
    canonical, path, digest = named
    found.text_count += 1
    found.text_bytes += len(data)
    if found.text_bytes > MAX_TEXT_BYTES:
        found.trouble(
            path,
            f"is past {MAX_TEXT_BYTES} bytes of license files; not looked at (SHA-256 {digest})",
        )
        return
    text = normalise.read(data)
    if not certain and not text.problem and not normalise.is_legible(text.words):
        text = replace(text, problem=normalise.NOT_LEGIBLE)
    unread = text.problem and text.problem != normalise.NO_WORDS
    if not certain and not (unread or hints.states_terms(text.words)):
        return
    if unread:
        # An approval is for these bytes: what could not be read may differ from release to release.
        found.trouble(path, f"{text.problem} (SHA-256 {digest})")
    elif text.problem and kind != names.NOTICE:
        found.trouble(path, text.problem)
    raw = normalise.decode(data[: normalise.TEXT_BYTES]) or ""
    whole = known.identify(text.words, known.first_words(raw))
    stated = Stated(expression=whole.id) if whole.id else _stated(raw, text.words, found)
    parts = normalise.sections(raw) if not text.problem else ()
    found.texts[kind].append(
        LicenseText(
            path=canonical,
            file=path,
            fingerprint=normalise.fingerprint(whole.words),
            id=stated.expression,
            said=stated.said,
            parts=tuple(known.part(part) for part in parts) if len(parts) > 1 else (),
            words=whole.words[:KEPT_WORDS],
            size=size,
        )
    )


def _stated(raw: str, words: str, found: _Found) -> Stated:
    """Return what a text that is not known by its fingerprint is; the same words are read once."""
    if words not in found.stated:
        readable = is_machine_readable(raw)
        found.stated[words] = (
            machine_readable(raw, work=found.own)
            if readable
            else Stated(expression=identify(raw, work=found.own))
        )
    return found.stated[words]


def _take_metadata(found: _Found, canonical: str, data: bytes, digest: str) -> None:
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


def _promote(found: _Found) -> None:
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
