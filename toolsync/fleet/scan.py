"""Tasks of the kind scan: read the terms of one release.

Terms name every file with its digest. The coordinator reads the tarballs through and compares: what
a worker left out, or made up, is seen. What the words in a file mean is the worker's word.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from toolsync.archives.extract import read_members
from toolsync.archives.member import Kind as Member
from toolsync.config.settings import Config, Limits
from toolsync.fleet.checks import read_value, require_blob, require_names
from toolsync.fleet.kind import FORM, Kind, Machine
from toolsync.license.detect import Detector, available
from toolsync.license.found import DIGITS, MAX_FILES, MAX_PROBLEMS, MAX_TEXTS
from toolsync.license.reading import read_terms
from toolsync.license.terms import Terms, from_json, to_json
from toolsync.model.errors import Damaged, Hostile
from toolsync.model.values import Blob
from toolsync.system.store import Store

_TERMS = 512 * 1024 * 1024
_TEXT = 2000
"""Characters of a problem."""
_PARTS = 100
_PIECE = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class ScanPart:
    """A component's orig tarball."""

    component: str
    orig: Blob


@dataclass(frozen=True, slots=True, kw_only=True)
class ScanAsked:
    """A release whose terms are to be read."""

    orig: Blob
    components: tuple[ScanPart, ...]
    before: Blob | None
    """The terms of an earlier release: what is as there is not looked at again."""
    form: int = FORM


@dataclass(frozen=True, slots=True, kw_only=True)
class ScanRead:
    """What was read."""

    terms: Blob
    problems: tuple[str, ...]
    """Why some files could not be looked at."""


def _read(data: object) -> ScanAsked:
    asked = read_value(ScanAsked, data, "a task")
    if asked.form != FORM:
        raise Hostile(f"a task of form {asked.form}, this worker knows {FORM}")
    if len(asked.components) > _PARTS:
        raise Hostile(f"a release of {len(asked.components)} components")
    require_names(*(part.component for part in asked.components))
    for blob in (asked.orig, *(part.orig for part in asked.components)):
        require_blob(blob)
    if asked.before is not None:
        require_blob(asked.before, _TERMS)
    return asked


def _do(asked: ScanAsked, machine: Machine) -> ScanRead:
    store = machine.store
    old = from_json(store.path(asked.before).read_bytes()) if asked.before else None
    detector = Detector(workshop=machine.workshop, cache=machine.config.licenses)
    terms = read_terms(
        asked,
        old,
        detector,
        limits=machine.config.limits,
        store=store,
        workshop=machine.workshop,
    )
    problems = tuple(text[:_TEXT] for text in detector.problems[:MAX_PROBLEMS])
    return ScanRead(terms=store.add_bytes(to_json(terms), "terms.json"), problems=problems)


def judged(asked: ScanAsked, data: object, store: Store, limits: Limits) -> ScanRead:
    """Return what a worker has read; raises Hostile where it is not of these tarballs."""
    read = read_value(ScanRead, data, "something read")
    if len(read.problems) > MAX_PROBLEMS or any(len(text) > _TEXT for text in read.problems):
        raise Hostile(f"{len(read.problems)} problems, or one of over {_TEXT} characters")
    require_blob(read.terms, _TERMS)
    try:
        terms = from_json(store.path(read.terms).read_bytes())
    except Damaged as error:
        raise Hostile(f"what it says is in the store is not: {error}") from error
    if terms is None:
        raise Hostile("what it says are terms are none, or were read by other rules")
    _require_bounds(terms)
    _require_files(asked, terms, store, limits)
    return read


def _require_bounds(terms: Terms) -> None:
    """Raise Hostile where there is more than a reading gives."""
    if len(terms.files) > MAX_FILES or len(terms.problems) > MAX_PROBLEMS + 1:
        raise Hostile(f"terms of {len(terms.files)} files with {len(terms.problems)} problems")
    if len(terms.texts) > MAX_TEXTS or {t.path for t in terms.texts} - {
        f.path for f in terms.files
    }:
        raise Hostile(f"{len(terms.texts)} license texts, or one that is no file of the release")


def _require_files(asked: ScanAsked, terms: Terms, store: Store, limits: Limits) -> None:
    """Raise Hostile unless the terms name the contents of the tarballs, all of them.

    Where something could not be read the terms say so, and a person looks at that.
    """
    said = {file.digest for file in terms.files}
    known: set[str] = set()
    wanted: set[str] = set()
    for blob in (asked.orig, *(part.orig for part in asked.components)):
        for digest, counts in _contents(store, blob, limits):
            known.add(digest)
            if counts:
                wanted.add(digest)
    if made_up := said - known:
        raise Hostile(f"terms of {len(made_up)} files that are not in {asked.orig.name}")
    if (left_out := wanted - said) and not terms.problems and not asked.components:
        raise Hostile(f"terms without {len(left_out)} files of {asked.orig.name}")


def _contents(store: Store, blob: Blob, limits: Limits) -> Iterator[tuple[str, bool]]:
    """Give the digest of each file in a tarball, and whether a reading must name it."""
    for member in read_members(store.path(blob), limits):
        if member.kind is not Member.FILE:
            continue
        hasher = hashlib.sha256()
        while data := member.data.read(_PIECE):
            hasher.update(data)
        hidden = {".git", ".hg", ".svn", ".bzr"} & set(member.path.split("/")[:-1])
        yield hasher.hexdigest()[:DIGITS], not hidden


def _queues(_config: Config) -> Sequence[str]:
    return ("scan",) if available() else ()


SCAN = Kind(
    name="scan",
    about=lambda asked: asked.orig.name,
    queue=lambda _asked: "scan",
    queues=_queues,
    read=_read,
    do=_do,
    judge=judged,
    here=True,
)
