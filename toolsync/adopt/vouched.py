"""Pin upstream's tarball where a distribution's signed archive vouches for what is in it.

An archive's index is signed, and names the digest of each orig tarball. That is upstream's own
file, or one that was repacked: recompressed, or without what debian/copyright excludes. Upstream's
file is then compared with it: all that the distribution has must be there unchanged, and what is
there besides must be excluded by name, so that the source package holds what the distribution has
looked at. It is pinned by its own digest.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from toolsync.archives.compare import more_than
from toolsync.build.archives import Archive, Known
from toolsync.config.definition import Tool
from toolsync.config.later import without_suffix
from toolsync.model.errors import ToolsyncError, Unverified
from toolsync.model.release import Fetched, Release
from toolsync.pipeline.context import Context
from toolsync.pipeline.locate import whole
from toolsync.pipeline.memory import NoMemory
from toolsync.pipeline.road import fetched, verified
from toolsync.pipeline.work import Work, work_on
from toolsync.unpack.exclusions import Exclusions

_ORIG = re.compile(r"[^_]+_([^_]+)\.orig\.tar\.(?:gz|xz|bz2|zst|lzma)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Vouched:
    """What is known of a release's bytes before it is taken."""

    signed: bool = False
    """Whether upstream's own proof is good."""
    digest: str = ""
    """Of upstream's tarball, where an archive vouches for it."""
    said: str = ""
    """By what, or why not, in a phrase."""
    version: str = ""
    """The release's, upstream's."""
    main: str = ""
    """Whose component main has it: version and series."""
    packages: tuple[str, ...] = ()
    """The binary packages that are made of it there."""
    tarball: Path | None = None
    """Upstream's, while the adoption goes on."""


def vouched(
    context: Context,
    tool: Tool,
    release: Release,
    archives: Callable[[], Sequence[Archive]],
    folder: Path,
) -> Vouched:
    """Return by what the bytes of a release can be proved; they come into the store.

    What cannot be had is said, and nothing is raised for it.
    """
    quiet = replace(context, memory=NoMemory(context.memory.tell))
    work = work_on(quiet, tool, release)
    try:
        item = fetched(work, whole(quiet, tool, release))
    except ToolsyncError as error:
        return Vouched(said=f"{release.version} could not be fetched: {error}")
    why = _unsigned(work, item)
    (place := folder / "upstream").mkdir(exist_ok=True)
    found = Vouched(
        signed=not why,
        version=release.version,
        said="" if why else "a signature by a key of debian/upstream",
        tarball=context.store.copy_to(item.archive, place),
    )
    reasons = [] if why in ("", _NO_KEY) else [why]
    for archive in archives():
        for known in archive.sources(tool.source):
            if (orig := _orig_of(known, release.version)) is None:
                continue
            told = f"the orig tarball of {known.version} in {archive.series}"
            same = known.files[orig] == item.archive.sha256
            how = "" if same else _differs(context, tool, archive, known, orig, found, folder)
            if not how:
                told += " is this very file" if same else " has the same content"
                return replace(
                    found,
                    digest=item.archive.sha256,
                    said=found.said or told,
                    main=f"{known.version} in {archive.series}" if known.is_main else "",
                    packages=known.binaries if known.is_main else (),
                )
            reasons.append(f"{told} is another: {how}")
    return replace(found, said=found.said or "; ".join(dict.fromkeys(reasons)))


_NO_KEY = "no key is in debian/upstream"


def _unsigned(work: Work, item: Fetched) -> str:
    """Return why upstream's own proof is not good; empty where it is."""
    if not work.tool.keyring:
        return _NO_KEY
    try:
        return "" if verified(work, item).verdict == "good" else "upstream signs nothing"
    except Unverified as error:
        return str(error)


def _orig_of(known: Known, version: str) -> str | None:
    """Return the name of the orig tarball, if it is of this version of upstream's."""
    for name in known.files:
        match = _ORIG.fullmatch(name)
        if match and without_suffix(match[1]) == version:
            return name
    return None


def _differs(
    context: Context,
    tool: Tool,
    archive: Archive,
    known: Known,
    orig: str,
    ours: Vouched,
    folder: Path,
) -> str:
    """Return how upstream's tarball has other content than an archive's; empty where it has not."""
    place = folder / f"orig-{archive.series}-{known.version.replace(':', '_')}"
    try:
        if not (place / orig).is_file():
            archive.file(tool.source, known.version, orig, place)
        assert ours.tarball is not None
        found, besides = more_than(ours.tarball, place / orig, context.config.limits)
        excluded, _ = Exclusions.read(tool.debian / "copyright").select(besides, "")
    except ToolsyncError as error:
        return f"it could not be compared ({error})"
    left = [path for path in besides if path not in excluded]
    if not found and left:
        return f"it lacks {', '.join(left[:3])}, which Files-Excluded does not name"
    return found
