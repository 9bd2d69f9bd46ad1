"""Keep store and archive within a size: drop what no release in use needs, and never evidence.

What may go are the bytes of superseded releases: their archives, orig tarballs, source packages
and binaries. What was said of them stays: results, judgments, decisions, logs, statements. A
release is in use from the newest one that a target serves upwards, and while an upload of it has
not come to an end.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass
from pathlib import Path

from toolsync.attest.envelope import MOST, read_envelope
from toolsync.journal.journal import SHA256
from toolsync.journal.results import Result
from toolsync.journal.uploads import Upload
from toolsync.model.errors import Damaged, SetupError, Unverified
from toolsync.model.values import Blob
from toolsync.model.versions import Key, upstream_key
from toolsync.pipeline.context import Context
from toolsync.publish import index
from toolsync.publish.target import Prunable

_BULKY = frozenset({"fetch", "unpack", "package", "build"})
"""Stages whose files can be large; those of the others are evidence."""
_ABANDONED = 7 * 86400
"""Seconds after which nobody will go on with a download."""
_ENDED = frozenset({"confirmed", "published", "rejected", "lost", "build-failed", "superseded"})
"""States of an upload in which nothing more is waited for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dropped:
    """Something that went, or would go."""

    what: str
    """A file's name and release, or a package and version of the archive."""
    why: str
    size: int
    """Bytes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cleanup:
    """What a clean-up came to."""

    dropped: tuple[Dropped, ...]
    before: int
    """Bytes of store and archive before."""
    after: int
    limit: int
    """Bytes that were allowed, 0 for any number."""


@dataclass(frozen=True, slots=True)
class _File:
    digest: str
    size: int
    what: str
    at: str
    """When the stage ended that made it."""


def clean_up(context: Context, *, limit: int, dry_run: bool = False) -> Cleanup:
    """Drop what nothing names, then what is superseded, oldest first, until ``limit`` is met.

    ``limit`` is in bytes for store and archive together; with 0 only what nothing names goes.
    The caller holds toolsync's lock. Killed at any moment, a later clean-up goes on.
    """
    sizes = dict(context.store.files())
    prunable = context.target if isinstance(context.target, Prunable) else None
    size = before = sum(sizes.values()) + (prunable.size() if prunable else 0)
    dropped: list[Dropped] = []
    served = _served(context.config.archive)
    named = context.journal.digests() | served
    sworn = list(_sworn(context, sizes.keys() - named, sizes))
    named = named.union(*sworn)
    for digest in sorted(context.store.settled(sizes.keys() - named)):
        size -= sizes[digest]
        dropped.append(Dropped(what=digest, why="nothing names it", size=sizes[digest]))
        if not dry_run:
            context.store.drop(digest)
    for path, found in context.store.unfinished():
        if context.clock.now().timestamp() - found.st_mtime > _ABANDONED:
            before, what = before + found.st_size, f"a download, {path.name}"
            dropped.append(Dropped(what=what, why="unfinished for a week", size=found.st_size))
            if not dry_run:
                path.unlink(missing_ok=True)
    # What is served, and what the evidence of it names, is in use whatever the journal says.
    used = served.union(*(names for names in sworn if names & served))
    superseded = _superseded(context, sizes) if limit and size > limit else []
    for file in (file for file in superseded if file.digest not in used):
        if size <= limit:
            break
        size -= file.size
        dropped.append(Dropped(what=file.what, why="superseded", size=file.size))
        if not dry_run:
            context.store.drop(file.digest)
    for old in prunable.superseded() if prunable and limit else ():
        if size <= limit:
            break
        size -= old.size
        what = f"{old.source} {old.version} in the archive ({old.series})"
        dropped.append(Dropped(what=what, why="superseded", size=old.size))
        if prunable and not dry_run:
            prunable.forget(old)
    return Cleanup(dropped=tuple(dropped), before=before, after=size, limit=limit)


def _served(archive: Path) -> set[str]:
    """Return the digest of every file that the archive's indices name, of all series.

    Raises SetupError where they cannot be read: then nothing is known to be superseded.
    """
    found: set[str] = set()
    for release in sorted((archive / "dists").glob("*/InRelease")):
        try:
            names = index.served(archive, release.parent.name)
            whole = any(release.parent.glob("*/*/*.gz"))
        except (Damaged, ValueError, KeyError) as error:
            raise _unread(release, str(error)) from error
        if not whole:
            raise _unread(release, "there are none")
        found.update(names.values())
    return found


def _unread(release: Path, why: str) -> SetupError:
    return SetupError(
        f"the indices beside {release} cannot be read: {why}",
        resolution="Nothing was removed. Restore the archive from a backup, or publish again.",
    )


def _sworn(context: Context, unnamed: Set[str], sizes: Mapping[str, int]) -> Iterator[set[str]]:
    """Give, for all signed evidence, the digests that it names, and its own.

    It is looked for among the files that the journal does not name, too. Raises Damaged where it
    has other bytes: then nothing is known of what it names.
    """
    known = {blob.sha256 for blob in context.journal.evidence.all()} & sizes.keys()
    for digest in sorted(known | unnamed):
        blob = Blob(name="", sha256=digest, size=sizes[digest])
        with context.store.where(blob).open("rb") as source:
            if digest not in known and (sizes[digest] > MOST or source.read(1) != b"{"):
                continue
        try:
            said = read_envelope(context.store.path(blob).read_bytes()).payload
        except Unverified:
            continue
        yield {digest, *SHA256.findall(said.decode(errors="replace"))}


def _superseded(context: Context, sizes: Mapping[str, int]) -> list[_File]:
    """Return the files of the store that only superseded releases need, oldest first."""
    old: dict[str, _File] = {}
    needed: set[str] = set()
    for tool in context.journal.results.tools():
        uploads = context.journal.uploads.of(tool)
        for result in context.journal.results.of(tool):
            for digest, name in _files(result.data):
                if name == "log" or _in_use(result, uploads):
                    needed.add(digest)
                elif digest in sizes and result.key.stage in _BULKY:
                    what = f"{name} of {tool} {result.key.version}"
                    old.setdefault(digest, _File(digest, sizes[digest], what, result.finished))
    return sorted((f for d, f in old.items() if d not in needed), key=lambda f: (f.at, f.digest))


def _in_use(result: Result, uploads: list[Upload]) -> bool:
    version = upstream_key(result.key.version)
    newest: dict[str, Key] = {}
    for upload in uploads:
        if upload.state not in _ENDED and upload.upstream == result.key.version:
            return True
        if upload.state in ("confirmed", "published"):
            known = newest.get(upload.target)
            mine = upstream_key(upload.upstream)
            newest[upload.target] = mine if known is None else max(known, mine)
    return not newest or version >= min(newest.values())


def _files(data: object, name: str = "") -> Iterator[tuple[str, str]]:
    """Yield digest and name of every file that a stage's result names; a log is called ``log``."""
    if isinstance(data, Mapping):
        if isinstance(data.get("sha256"), str) and "size" in data:
            yield data["sha256"], "log" if name == "log" else str(data.get("name", ""))
        for key, value in data.items():
            yield from _files(value, key)
    elif isinstance(data, list):
        for value in data:
            yield from _files(value, name)
