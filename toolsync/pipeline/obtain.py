"""Take one release as far as its orig tarballs, into a folder: what uscan does, and nothing else.

The journal is asked for what was accepted before and is not written: this is for hands and
scripts. The steps are those of `road`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from toolsync.config.definition import Tool
from toolsync.model.errors import (
    FINE,
    HELD,
    GateClosed,
    Rejected,
    Replaced,
    ToolsyncError,
    Unverified,
    UsageError,
)
from toolsync.model.release import Blob, Outcome, Release, Unpacked
from toolsync.model.versions import upstream_key
from toolsync.pipeline.accepted import check_folders
from toolsync.pipeline.context import Context
from toolsync.pipeline.memory import NoMemory
from toolsync.pipeline.outcome import in_trouble, published, sifted_of
from toolsync.pipeline.road import bound, fetched, unpacked, verified
from toolsync.pipeline.status import status_of
from toolsync.pipeline.work import Work
from toolsync.verify.methods import method_of
from toolsync.watch.look import look
from toolsync.watchfile.folder import warnings
from toolsync.watchfile.locate import Located, locate


@dataclass(frozen=True, slots=True, kw_only=True)
class Obtained:
    """What ``fetch --json`` promises; the files are names in the output folder."""

    tool: str
    current: str | None
    version: str | None
    status: str
    url: str | None
    file: str | None = None
    verify: str = "unchecked"
    """``good``, ``bad``, ``missing-signature``, ``no-keyring`` or ``unchecked``."""
    accepted: bool = False
    orig: str | None = None
    components: tuple[str, ...] = ()
    message: str = ""
    resolution: str = ""
    exit_status: int = FINE
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    """A release that was looked for, and what its version makes of the tool's status."""

    release: Release
    status: str
    located: Located | None = None
    """Where a watch file found it."""


def obtain(
    context: Context, tool: Tool, wanted: str | None, output: Path, *, exclude: bool = True
) -> Obtained:
    """Return what became of the newest release, or of version ``wanted``, in ``output``.

    A release that is refused leaves nothing there; the refusal is told in the value. Without
    ``exclude`` Files-Excluded do not count. Raises UsageError for a version that is not there.
    """
    found = _obtained(context, tool, wanted, output, exclude=exclude)
    return replace(found, warnings=warnings(tool)) if tool.watch.is_folder else found


def _obtained(
    context: Context, tool: Tool, wanted: str | None, output: Path, *, exclude: bool
) -> Obtained:
    context = replace(context, memory=NoMemory(context.memory.tell))
    current = published(context, tool)
    try:
        found = _seek(context, tool, wanted, current)
    except UsageError as error:
        if not tool.watch.is_folder:
            raise
        return _not_seen(context, tool, current, error)
    except ToolsyncError as error:
        return _not_seen(context, tool, current, error)
    seen = Obtained(
        tool=tool.name,
        current=current,
        version=found.release.version,
        status=found.status,
        url=found.release.url,
    )
    if found.status == "recalled" and not wanted and found.located:
        return replace(
            seen,
            message=f"{current} is current, but the newest that upstream names is"
            f" {found.located.newest}",
            resolution="Ask upstream why it was withdrawn, or name a version with --version.",
            exit_status=HELD,
        )
    return _taken(context, tool, found, seen, output, exclude=exclude)


def _seek(context: Context, tool: Tool, wanted: str | None, current: str | None) -> _Found:
    """Return the newest release that may be taken, or version ``wanted``."""
    if tool.watch.is_folder:
        located = locate(tool, http=context.http, limits=context.config.limits, wanted=wanted or "")
        return _Found(release=located.release, status=located.status, located=located)
    release = _choose(context, tool, wanted)
    newer = current is None or upstream_key(release.version) > upstream_key(current)
    return _Found(release=release, status="new" if newer else "up-to-date")


def _choose(context: Context, tool: Tool, wanted: str | None) -> Release:
    sighting = look(tool, http=context.http, limits=context.config.limits)
    releases = sighting.releases
    if wanted is None:
        takeable = sifted_of(context, tool, sighting).takeable
        if takeable:
            return takeable[0]
        raise UsageError(
            f"{releases[0].version} and all others that {releases[0].page} names are ignored or too"
            f" young by [watch] of {tool.name}",
            resolution="Name one with --version to fetch it all the same.",
        )
    found = next((r for r in releases if wanted in (r.version, r.raw_version)), None)
    if found is None:
        raise UsageError(
            f"{releases[0].page} names no version {wanted} of {tool.name}; the newest are: "
            f"{', '.join(release.version for release in releases[:5])}"
        )
    return found


def _taken(
    context: Context, tool: Tool, found: _Found, seen: Obtained, output: Path, *, exclude: bool
) -> Obtained:
    """Take the release as far as its orig tarballs, and put them into ``output``."""
    work = Work(
        context=context,
        tool=tool,
        version=found.release.version,
        exclude=exclude,
        unproved=tool.watch.is_folder,
    )
    try:
        release = found.located.whole() if found.located else found.release
        item = fetched(work, release)
        if tool.watch.is_folder:
            archives = [part.archive for part in item.parts]
            places = (output, tool.folder.parent)
            check_folders(archives, places, tool.source, release.main.orig_version)
        done = unpacked(work, verified(work, item))
        bound(work, done)
    except ToolsyncError as error:
        return _refused(tool, seen, error)
    placed = _placed(done)
    context.store.copy_all(placed, output)
    return replace(
        seen,
        file=next(iter(placed)),
        verify=done.verified.verdict,
        accepted=True,
        orig=done.orig.name,
        components=tuple(part.orig.name for part in done.components),
        message=f"{done.release.version}: {done.verified.statement}",
    )


def _placed(done: Unpacked) -> Mapping[str, Blob]:
    """Return what goes into the folder, by name: what was fetched, then the orig tarballs."""
    archives = {_plain(part.archive.name): part.archive for part in done.verified.fetched.parts}
    return archives | {orig.name: orig for orig in done.origs}


def _not_seen(context: Context, tool: Tool, current: str | None, error: ToolsyncError) -> Obtained:
    outcome: Outcome = in_trouble(context, tool, error)
    return Obtained(
        tool=tool.name,
        current=current,
        version=None,
        status=outcome.status,
        url=outcome.url,
        message=outcome.message,
        resolution=outcome.resolution,
        exit_status=outcome.exit_status,
    )


def _refused(tool: Tool, seen: Obtained, error: ToolsyncError) -> Obtained:
    return replace(
        seen,
        status=seen.status if tool.watch.is_folder else status_of(error),
        verify=_verdict(tool, error),
        message=str(error),
        resolution=error.resolution,
        exit_status=error.exit_status,
    )


def _verdict(tool: Tool, error: ToolsyncError) -> str:
    """Return the word for a refusal: of the proof where it was judged, else of what is missing."""
    if isinstance(error, Unverified):
        return error.verdict
    if isinstance(error, Replaced | GateClosed | Rejected):
        return "bad" if method_of(tool.verify) else "unchecked"
    return "no-keyring" if tool.verify.keys and not tool.keyring else "unchecked"


def _plain(name: str) -> str:
    """Return a file name from a page as one that can stay inside a folder."""
    return Path(name.replace("\\", "/")).name or "download"
