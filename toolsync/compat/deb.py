"""Read the surface of a built binary package: its files as they will lie, and its control data."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from toolsync.archives.extract import DEB, archive_form
from toolsync.archives.tree import open_any, open_packages
from toolsync.compat.reading import Release, read_tree
from toolsync.compat.surface import Surface
from toolsync.config.settings import Limits
from toolsync.model.errors import ToolsyncError
from toolsync.model.release import Blob
from toolsync.system.run import run
from toolsync.system.store import Store
from toolsync.system.work import Workshop

_SECONDS = 60
_RELATION = re.compile(r"([a-z0-9][a-z0-9+.-]+)(?::\w+)?\s*(?:\(([^)]*)\))?")
"""One alternative of a relationship field (Debian Policy 7.1)."""
_ALTERNATIVE = re.compile(r"update-alternatives\b[^;&|]{0,200}?--install\s+(/[\w./+-]+)")
_NUMBERS = re.compile(r"\d+(?:\.\d+)+")
"""A version in an installed file's name, which every release has another of."""
_INSTALLED = re.compile(
    r"(?:usr/)?(?:lib/systemd|lib/udev)/.+|usr/share/(?!man/|doc/|locale/|lintian/|python3/).+"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Packages:
    """Binary packages, and where their files lie together."""

    files: tuple[Path, ...]
    root: Path


@contextmanager
def opened(
    debs: Sequence[Blob], *, store: Store, workshop: Workshop, limits: Limits
) -> Iterator[Packages]:
    """Give binary packages of the store, unpacked, for the block; raises as `open_packages`."""
    with workshop.folder("debs") as folder:
        files = tuple(store.copy_to(deb, folder) for deb in debs)
        with open_packages(files, workshop=workshop, limits=limits) as root:
            yield Packages(files=files, root=root)


def surface_of_deb(deb: Path, *, workshop: Workshop, limits: Limits) -> Surface:
    """Return commands, options, conffiles, paths and dependencies of a .deb; nothing is run of it.

    Raises Hostile for a package that nobody should open.
    """
    with open_any(deb, workshop=workshop, limits=limits) as top:
        return read_release(deb, top).surface()


def read_release(source: Path, top: Path) -> Release:
    """Return what is read of a tree, with the control data if it came out of a .deb."""
    release = read_tree(top)
    if source.is_file() and archive_form(source) == DEB:
        release.draft.names.pop("conffile", None)  # a guess: the control data tells
        try:
            _control(release, source)
        except ToolsyncError as error:
            release.draft.gap("dependency", "control", f"the control data cannot be read: {error}")
    return release


def read_packages(debs: Sequence[Path], top: Path) -> Release:
    """Return what is read of the files and the control data of packages that were built together.

    ``top`` holds their files as they lie when installed. Relations among them say nothing.
    """
    release = read_tree(top)
    release.draft.names.pop("conffile", None)  # a guess: the control data tells
    for deb in debs:
        try:
            _control(release, deb)
        except ToolsyncError as error:
            reason = f"the control data cannot be read: {error}"
            release.draft.gap("dependency", deb.name, reason)
    needed, paths = release.draft.of("dependency"), release.draft.of("path")
    for deb in debs:
        needed.pop(f"deb {deb.name.partition('_')[0]}", None)
    for path in [path for path in paths if _NUMBERS.search(path)]:
        paths.setdefault(_NUMBERS.sub("N", path), paths.pop(path))
    return release


def _takes_the_place_of(deb: Path) -> list[str]:
    """Return the packages beside which a .deb is not installed as it is (Debian Policy 7.3-7.6)."""
    fields = ("Breaks", "Conflicts", "Replaces")
    texts = [run("dpkg-deb", "--field", deb, field, timeout=_SECONDS).out for field in fields]
    named = (_RELATION.match(part.strip()) for text in texts for part in text.split(","))
    return sorted({match[1] for match in named if match})


def _control(release: Release, deb: Path) -> None:
    """Add names, dependencies, conffiles and installed paths of a .deb (deb-control(5))."""
    draft = release.draft
    name = run("dpkg-deb", "--field", deb, "Package", timeout=_SECONDS).out.strip()
    if name.endswith("-dbgsym"):  # what debuggers take, made anew by debhelper each time
        return
    draft.add("package", name, " ".join(_takes_the_place_of(deb)))
    script = run("dpkg-deb", "--info", deb, "postinst", timeout=_SECONDS, ok=(0, 2)).out
    for link in _ALTERNATIVE.findall(script):
        draft.add("alternative", link)
    for name in ("Pre-Depends", "Depends"):
        field = run("dpkg-deb", "--field", deb, name, timeout=_SECONDS).out
        for relation in field.split(","):
            match = _RELATION.match(relation.strip())
            if match:
                draft.add("dependency", f"deb {match[1]}", (match[2] or "").replace(" ", ""))
    listed = run("dpkg-deb", "--info", deb, "conffiles", timeout=_SECONDS, ok=(0, 2))
    for line in listed.out.splitlines() if listed.code == 0 else ():
        if line.strip():
            draft.add("conffile", line.strip().lstrip("/"))
    for path in release.tree.sources:
        if _INSTALLED.fullmatch(path):
            draft.add("path", path)
