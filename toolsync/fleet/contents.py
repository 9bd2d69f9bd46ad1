"""What lies in a release's tarballs, as a reading of its terms must name it.

The tarballs are read through and nothing is unpacked. Components lie in folders of the tree, and
replace what the main tarball has there (dpkg-source(1)), as `archives.tree` lays them out.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from toolsync.archives.extract import archive_form, guard_for, read_members
from toolsync.archives.member import Kind, Member, as_text
from toolsync.config.settings import Limits
from toolsync.license.found import DIGITS
from toolsync.license.names import canonical
from toolsync.license.terms import File

_PIECE = 1024 * 1024
_HIDDEN = frozenset((".git", ".hg", ".svn", ".bzr"))
Pair = tuple[str, str]
"""A file's path as terms have it, and its digest."""


class Contents:
    """The files of a release, and what a reading may leave out of them."""

    def __init__(self, orig: Path, components: Mapping[str, Path], limits: Limits) -> None:
        """Read the tarballs through; ``components`` are those beside the main one, by folder."""
        self.all: set[Pair] = set()
        self.wanted: set[Pair] = set()
        self._links: set[str] = set()
        self._digests: set[str] = set()
        for folder, tarball in (("", orig), *components.items()):
            gone = () if folder else tuple(components)
            for path, digest in _members(tarball, limits):
                if path.partition("/")[0] not in gone:
                    self._add(f"{folder}/{path}" if folder else path, digest)

    def _add(self, path: str, digest: str) -> None:
        name = canonical(as_text(path))
        if not digest:
            self._links.add(name)
            return
        self._digests.add(digest)
        self.all.add((name, digest))
        if not _HIDDEN & set(path.split("/")[:-1]):
            self.wanted.add((name, digest))

    def made_up(self, files: Sequence[File]) -> set[Pair]:
        """Return which of some files are not there; a link may lead to any that is."""
        said = {(file.path, file.digest) for file in files} - self.all
        return {
            (path, digest)
            for path, digest in said
            if path not in self._links or digest not in self._digests
        }

    def left_out(self, files: Sequence[File]) -> set[Pair]:
        """Return what is not among some files, and should be."""
        return self.wanted - {(file.path, file.digest) for file in files}


def _members(tarball: Path, limits: Limits) -> Iterator[Pair]:
    """Give each file below the tarball's top folder with its digest; links with none."""
    guard = guard_for(archive_form(tarball), limits)
    digests: dict[str, str] = {}
    for member in read_members(tarball, limits, guard):
        if member.kind is Kind.FILE:
            digests[member.path] = _digest(member)
        elif member.kind is Kind.HARDLINK:
            digests[member.path] = digests.get(member.target, "")
        elif member.kind is Kind.SYMLINK:
            digests[member.path] = ""
    top = f"{guard.top}/" if guard.top else ""
    for path, digest in digests.items():
        if path.startswith(top):
            yield path.removeprefix(top), digest


def _digest(member: Member) -> str:
    hasher = hashlib.sha256()
    while data := member.data.read(_PIECE):
        hasher.update(data)
    return hasher.hexdigest()[:DIGITS]
