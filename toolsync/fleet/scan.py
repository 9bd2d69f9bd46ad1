"""Tasks of the kind scan: read the terms of one release.

Terms name every file with path and digest. The coordinator reads the tarballs through and compares:
what a worker left out, or made up, is seen. What the words in a file mean is the worker's word.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from toolsync.config.settings import Config, Limits
from toolsync.fleet.checks import read_value, require_blob, require_names
from toolsync.fleet.contents import Contents
from toolsync.fleet.kind import FORM, Kind, Machine
from toolsync.fleet.termbounds import require_bounds
from toolsync.license.detect import Detector, available
from toolsync.license.found import MAX_PROBLEMS
from toolsync.license.reading import read_terms
from toolsync.license.terms import from_json, to_json
from toolsync.model.errors import Damaged, Hostile
from toolsync.model.values import Blob
from toolsync.system.confined import confined
from toolsync.system.store import Store

_TERMS = 256 * 1024 * 1024
_TEXT = 2000
"""Characters of a problem."""
_PARTS = 100


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
        path = store.path(read.terms)
    except Damaged as error:
        raise Hostile(f"what it says is in the store is not: {error}") from error
    orig = store.path(asked.orig)
    components = {part.component: store.path(part.orig) for part in asked.components}
    confined(
        lambda: _require_terms(path, asked.orig.name, Contents(orig, components, limits)),
        what="judging the terms that a worker read",
        seconds=limits.gate_seconds,
        memory=limits.gate_memory,
    )
    return read


def _require_terms(path: Path, name: str, contents: Contents) -> None:
    """Raise Hostile unless a file holds the terms of these contents, all of them.

    Where something could not be read the terms say so, and a person looks at that.
    """
    try:
        terms = from_json(path.read_bytes())
    except (RecursionError, LookupError) as error:
        raise Hostile("what it says are terms are none") from error
    if terms is None:
        raise Hostile("what it says are terms are none, or were read by other rules")
    require_bounds(terms)
    if made_up := contents.made_up(terms.files):
        raise Hostile(f"terms of {len(made_up)} files that are not in {name}")
    if (left_out := contents.left_out(terms.files)) and not terms.problems:
        raise Hostile(f"terms without {len(left_out)} files of {name}")


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
    seconds=3600,
)
