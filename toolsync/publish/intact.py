"""See that an archive serves what it must: look at all that apt would fetch from its folder.

The signature stands over InRelease, that over the indices in every compression, these over
the pool's files. What is compared is size and digest; what reprepro's databases hold is
compared with the indices elsewhere (`Reprepro.fault`).
"""

from __future__ import annotations

import gzip
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from toolsync.model.errors import Damaged, Held
from toolsync.publish import byhash
from toolsync.publish.checked import Checked, Entry, Suite
from toolsync.system.store import digest_of, mark_of

REPAIR = (
    "toolsync archive repair rebuilds the archive from the store, with the same packages and key."
)
_PACKED = (".gz", ".xz", ".bz2", ".lzma", ".zst")


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One thing that is not as it must be."""

    path: str
    """Below the archive's folder."""
    message: str
    """What was found and what was wanted."""
    source: str = ""
    """The source package that it belongs to; empty for what concerns the whole archive."""
    version: str = ""
    sha256: str = ""
    """What the file must have, where that is known."""


@dataclass(slots=True)
class _Look:
    """One look at an archive."""

    root: Path
    before: Checked
    signed: Callable[[Path], tuple[str, tuple[str, ...]]]
    deep: bool
    faults: list[Fault] = field(default_factory=list)
    marks: dict[str, tuple[int, ...]] = field(default_factory=dict)


def inspect(
    root: Path,
    before: Checked,
    *,
    signed: Callable[[Path], tuple[str, tuple[str, ...]]],
    signers: Sequence[str],
    deep: bool,
) -> tuple[tuple[Fault, ...], Checked]:
    """Return all faults of the archive at ``root``, and what of it is whole.

    ``signed`` returns the signed text of an InRelease and by what keys it is signed, or raises why
    it is not by ``signers``. With ``deep`` every file is digested, else those that are not as they
    were ``before``; where nothing was looked at before, the size of the pool's files has to do.
    """
    look = _Look(root, before, signed, deep)
    names = {path.parent.name for path in (root / "dists").glob("*/InRelease")}
    names |= {suite.series for suite in before.suites}
    suites = []
    for series in sorted(names):
        known = before.of(series)
        suite = known if known and _as_before(look, known, signers) else _read(look, series)
        if suite is not None:
            suites.append(suite)
    for entry in {e.path: e for suite in suites for e in suite.entries}.values():
        _look_at(look, entry)
    return tuple(look.faults), Checked(suites=tuple(suites), marks=look.marks)


def _as_before(look: _Look, suite: Suite, signers: Sequence[str]) -> bool:
    """Say whether no index was touched since it was compared with its signature."""
    try:
        same = {path: mark_of(look.root / path) for path in suite.indices}
    except OSError:
        return False
    if look.deep or suite.signers != tuple(signers):
        return False
    if any(look.before.marks.get(path) != mark for path, mark in same.items()):
        return False
    look.marks |= same
    return True


def _read(look: _Look, series: str) -> Suite | None:
    """Return what a series' index says, as far as signature and digests hold."""
    folder = Path("dists") / series
    release = str(folder / "InRelease")
    try:
        mark = mark_of(look.root / release)
        text, signers = look.signed(look.root / release)
    except OSError as error:
        look.faults.append(Fault(path=release, message=f"cannot be read: {error.strerror}"))
        return None
    except Held as error:
        look.faults.append(Fault(path=release, message=f"is not as it was signed: {error}"))
        return None
    look.marks[release] = mark
    plain = look.root / folder / "Release"
    if plain.is_file() and plain.read_text(errors="replace").strip() != text.strip():
        fault = Fault(path=str(folder / "Release"), message="differs from InRelease")
        look.faults.append(fault)
    indices = list(_indices(look, folder, text))
    lists: list[str] = []
    entries: list[Entry] = []
    for path in indices:
        named, found = _named(look.root, series, path)
        lists += named
        entries += found
    return Suite(
        series=series,
        signers=signers,
        indices=(release, *indices),
        lists=tuple(sorted(set(lists))),
        entries=tuple(entries),
    )


def _indices(look: _Look, folder: Path, text: str) -> Iterator[str]:
    """Give the indices that are as the signed text says; note a fault of all others.

    A plain index need not be there where a packed one is. What can be had by its digest is looked
    at under that name, too, which apt asks for: also what only an earlier Release named.
    """
    listed = byhash.listed(text)
    by_digest: dict[str, int] = {}
    for name, (size, digest) in listed.items():
        packed = any(name + ending in listed for ending in _PACKED)
        if packed and not (look.root / folder / name).exists():
            continue
        path = str(folder / name)
        if _is_whole(look, Entry(path=path, size=size, sha256=digest, source="", version="")):
            yield path
        if byhash.FIELD in text:
            by_digest[str(folder / byhash.place(name, digest))] = size
    for kept in byhash.kept(look.root / folder):
        by_digest.setdefault(str(kept.relative_to(look.root)), kept.stat().st_size)
    for path, size in by_digest.items():
        digest = path.rpartition("/")[2]
        if _is_whole(look, Entry(path=path, size=size, sha256=digest, source="", version="")):
            yield path


def _look_at(look: _Look, entry: Entry) -> None:
    """Compare a file of the pool, unless it is as it was when that was done."""
    try:
        mark = mark_of(look.root / entry.path)
    except OSError:
        mark = ()
    if mark and mark[1] == entry.size and not look.deep:
        if not look.before.suites:
            return
        if look.before.marks.get(entry.path) == mark:
            look.marks[entry.path] = mark
            return
    _is_whole(look, entry)


def _is_whole(look: _Look, entry: Entry) -> bool:
    """Digest a file; note a fault where it is not as it must be."""
    fault, mark = compare(look.root, entry)
    if fault is not None:
        look.faults.append(fault)
        return False
    look.marks[entry.path] = mark
    return True


def compare(root: Path, entry: Entry) -> tuple[Fault | None, tuple[int, ...]]:
    """Digest a file; return what is wrong with it, and its mark before it was read."""
    path, how = root / entry.path, ""
    mark: tuple[int, ...] = ()
    try:
        mark = mark_of(path)
        digest, size = digest_of(path)
        if size != entry.size:
            how = f"has {size} bytes, wanted {entry.size}"
        elif digest != entry.sha256:
            how = f"has other bytes (sha256 {digest}), wanted sha256 {entry.sha256}"
    except FileNotFoundError:
        how = f"is gone, wanted sha256 {entry.sha256}"
    except OSError as error:
        how = f"cannot be read: {error.strerror}"
    if not how:
        return None, mark
    about = {"source": entry.source, "version": entry.version, "sha256": entry.sha256}
    return Fault(path=entry.path, message=how, **about), mark


def _named(root: Path, series: str, path: str) -> tuple[list[str], list[Entry]]:
    """Return the packages that an index names, and their files; none of a file of another kind."""
    from debian.deb822 import Packages, Sources  # heavy, and rarely needed

    place, _, name = path.rpartition("/")
    kind: Any = {"Packages.gz": Packages, "Sources.gz": Sources}.get(name)
    if kind is None:
        return [], []
    component, arch = place.split("/")[-2:]
    text = gzip.decompress((root / path).read_bytes()).decode("utf-8")
    lists, entries = [], []
    for paragraph in kind.iter_paragraphs(text, use_apt_pkg=False):
        label = f"{series}|{component}|{arch.removeprefix('binary-')}"
        lists.append(f"{label}: {paragraph['Package']} {paragraph['Version']}")
        entries += list(_files(paragraph))
    return lists, entries


def _files(paragraph: Any) -> Iterator[Entry]:
    source, _, version = str(paragraph.get("Source") or paragraph["Package"]).partition(" ")
    known = {"source": source, "version": version.strip("()") or str(paragraph["Version"])}
    if "Filename" in paragraph:
        size, digest = int(paragraph["Size"]), str(paragraph["SHA256"])
        yield Entry(path=str(paragraph["Filename"]), size=size, sha256=digest, **known)
    for file in paragraph.get("Checksums-Sha256", ()):
        path = f"{paragraph['Directory']}/{file['name']}"
        yield Entry(path=path, size=int(file["size"]), sha256=file["sha256"], **known)


def damaged(root: Path, faults: Sequence[Fault]) -> Damaged:
    """Return the error that tells of faults."""
    first = "; ".join(f"{fault.path} {fault.message}" for fault in faults[:3])
    more = f"; and {len(faults) - 3} more" if len(faults) > 3 else ""
    return Damaged(f"the archive {root} is damaged: {first}{more}", resolution=REPAIR)
