"""Tasks of the kind surface: read what users can touch of a tree or of built packages.

The coordinator compares; a surface has the digest of the files that it is of, which is compared
with the coordinator's own. What the commands say of themselves is the worker's word.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from toolsync.archives.tree import open_packages, open_release
from toolsync.compat.deb import read_packages
from toolsync.compat.examine import examine
from toolsync.compat.reading import Release, read_tree
from toolsync.compat.surface import KINDS, Surface
from toolsync.config.settings import Config, Limits
from toolsync.fleet.checks import read_value, require_blob, require_files, require_names
from toolsync.fleet.kind import FORM, Kind, Machine
from toolsync.fleet.scan import ScanPart
from toolsync.model.errors import Damaged, Hostile
from toolsync.model.values import Blob
from toolsync.system.confined import confined
from toolsync.system.store import Store

_SURFACE = 128 * 1024 * 1024
_MOST_NAMES = 2_000_000
_MOST_GAPS = 200_000
_DIGEST = re.compile(r"[0-9a-f]{64}")
_PATTERNS = 1000
_TEXT = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class SurfaceAsked:
    """A tree, or the packages that were built of it, whose surface is to be read."""

    orig: Blob
    components: tuple[ScanPart, ...]
    debs: tuple[Blob, ...]
    """The packages that are looked at, none where it is the tree."""
    commands: tuple[str, ...]
    """Patterns of the commands that are run; none for all."""
    probe: bool
    form: int = FORM


@dataclass(frozen=True, slots=True, kw_only=True)
class SurfaceRead:
    """What was read: `compat.surface` as JSON, in the store."""

    surface: Blob


def _read(data: object) -> SurfaceAsked:
    asked = read_value(SurfaceAsked, data, "a task")
    if asked.form != FORM:
        raise Hostile(f"a task of form {asked.form}, this worker knows {FORM}")
    if len(asked.commands) > _PATTERNS or any(len(text) > _TEXT for text in asked.commands):
        raise Hostile(f"{len(asked.commands)} patterns of commands, or one of over {_TEXT}")
    require_names(*(part.component for part in asked.components))
    require_files((asked.orig, *(part.orig for part in asked.components)))
    require_files(asked.debs)
    return asked


def _do(asked: SurfaceAsked, machine: Machine) -> SurfaceRead:
    limits, settings = machine.config.limits, machine.config.compat
    with ExitStack() as stack:
        root, debs = _opened(asked, machine, stack)

        def work() -> bytes:
            release: Release = read_packages(debs, root) if debs else read_tree(root)
            found, _ = examine(
                release, settings, asked.commands, probe=asked.probe, installed=bool(debs)
            )
            return found.to_json()

        data = confined(
            work,
            what="reading and running its commands",
            seconds=limits.gate_seconds + settings.total_seconds,
            memory=limits.gate_memory,
        )
    return SurfaceRead(surface=machine.store.add_bytes(data, "surface.json"))


def _opened(
    asked: SurfaceAsked, machine: Machine, stack: ExitStack
) -> tuple[Path, tuple[Path, ...]]:
    """Return where the files lie, and the packages that they are of, until the stack ends."""
    store, workshop, limits = machine.store, machine.workshop, machine.config.limits
    if not asked.debs:
        opened = open_release(asked, store=store, workshop=workshop, limits=limits)
        return stack.enter_context(opened), ()
    folder = stack.enter_context(workshop.folder("debs"))
    debs = tuple(store.copy_to(deb, folder) for deb in asked.debs)
    return stack.enter_context(open_packages(debs, workshop=workshop, limits=limits)), debs


def judged(asked: SurfaceAsked, data: object, store: Store, limits: Limits) -> Surface:
    """Return the surface that a worker has read; raises Hostile for what can be none."""
    read = read_value(SurfaceRead, data, "something read")
    require_blob(read.surface, _SURFACE)
    try:
        path = store.path(read.surface)
    except Damaged as error:
        raise Hostile(f"what it says is in the store is not: {error}") from error
    confined(
        lambda: _require_surface(path.read_bytes(), bool(asked.debs)),
        what="judging the surface that a worker read",
        seconds=limits.gate_seconds,
        memory=limits.gate_memory,
    )
    return Surface.from_json(path.read_bytes())  # as it did there, within the same memory


def _require_surface(data: bytes, installed: bool) -> None:
    """Raise Hostile for what can be no surface of packages, or of a tree."""
    try:
        found = Surface.from_json(data)
    except (ValueError, RecursionError, LookupError) as error:
        raise Hostile(f"what it says is a surface is none: {str(error)[:500]}") from error
    if found.installed != installed:
        raise Hostile("a surface of a tree for one of packages, or the other way")
    if set(found.names) - set(KINDS) or sum(map(len, found.names.values())) > _MOST_NAMES:
        raise Hostile("a surface with kinds of names that there are not, or too many names")
    if len(found.gaps) + len(found.probed) + len(found.vague) > _MOST_GAPS:
        raise Hostile(f"a surface with {len(found.gaps)} gaps and {len(found.probed)} commands")
    if found.digest and not _DIGEST.fullmatch(found.digest):
        raise Hostile(f"a surface of {found.digest[:70]!r}, which is no digest")


def _queues(_config: Config) -> Sequence[str]:
    return ("surface",) if shutil.which("bwrap") else ()


SURFACE = Kind(
    name="surface",
    about=lambda asked: (asked.debs[0] if asked.debs else asked.orig).name,
    queue=lambda _asked: "surface",
    queues=_queues,
    read=_read,
    do=_do,
    judge=judged,
    here=True,
    seconds=3600,
)
