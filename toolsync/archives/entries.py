"""What lies at each path of an archive or a folder, and the contents of some of it.

Archives are read as hostile, in one pass and without touching the disk; of a folder no link is
followed.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from toolsync.archives.extract import archive_form, guard_for, read_members
from toolsync.archives.member import Kind, Readable
from toolsync.config.settings import Limits
from toolsync.model.errors import TooMuch

_PIECE = 256 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """An archive or a folder, and where its tree lies in the whole."""

    path: Path
    below: str = ""
    """A folder's name, empty for the top."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What lies at one path: a file or a link. Folders are no entries."""

    digest: str = ""
    """SHA-256 of a file's content, in hex; empty for a link."""
    size: int = 0
    executable: bool = False
    target: str = ""
    """Where a link leads, as written."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tree:
    """All of a tree."""

    found: Mapping[str, Entry]
    """By path."""
    parts: Sequence[tuple[Part, str]]
    """What it was read from, each with the top folder that is in no path here."""


def read_tree(parts: Sequence[Part], limits: Limits) -> Tree:
    """Return all files and links of a tree by their paths, without an archive's top folder.

    Raises Hostile for an archive that cannot be read, or should not be.
    """
    found: dict[str, Entry] = {}
    tops: list[tuple[Part, str]] = []
    for part in parts:
        folder = part.path.is_dir()
        top, read = ("", _of_folder(part.path, limits)) if folder else _of_archive(part, limits)
        tops.append((part, top))
        found |= {_joined(part.below, path): entry for path, entry in read.items()}
    return Tree(found=found, parts=tops)


def contents(tree: Tree, wanted: Collection[str], limits: Limits) -> Iterator[tuple[str, bytes]]:
    """Yield path and content of the files at the ``wanted`` paths, in no order. Raises Hostile."""
    for part, top in tree.parts if wanted else ():
        if part.path.is_dir():
            yield from _wanted_of_folder(part, wanted, limits)
            continue
        guard = guard_for(archive_form(part.path), limits)
        for member in read_members(part.path, limits, guard):
            path = _joined(part.below, member.path[len(top) :])
            if member.kind is Kind.FILE and path in wanted and member.path.startswith(top):
                yield path, member.data.read()


def _of_archive(part: Part, limits: Limits) -> tuple[str, dict[str, Entry]]:
    guard = guard_for(archive_form(part.path), limits)
    found: dict[str, Entry] = {}
    for member in read_members(part.path, limits, guard):
        if member.kind is Kind.SYMLINK:
            found[member.path] = Entry(target=member.target)
        elif member.kind is Kind.HARDLINK:
            found[member.path] = found[member.target]
        elif member.kind is Kind.FILE:
            digest, size = _digest(member.data)
            found[member.path] = Entry(digest=digest, size=size, executable=member.executable)
    top = f"{guard.top}/" if guard.top else ""
    here = {path[len(top) :]: entry for path, entry in found.items() if path.startswith(top)}
    return top, here


def _of_folder(folder: Path, limits: Limits) -> dict[str, Entry]:
    found = {}
    for path in _files(folder, limits):
        name = path.relative_to(folder).as_posix()
        if path.is_symlink():
            found[name] = Entry(target=str(path.readlink()))
            continue
        with path.open("rb") as file:
            digest, size = _digest(file)
        executable = bool(path.stat().st_mode & stat.S_IXUSR)
        found[name] = Entry(digest=digest, size=size, executable=executable)
    return found


def _wanted_of_folder(
    part: Part, wanted: Collection[str], limits: Limits
) -> Iterator[tuple[str, bytes]]:
    for path in _files(part.path, limits):
        name = _joined(part.below, path.relative_to(part.path).as_posix())
        if name in wanted and not path.is_symlink():
            yield name, path.read_bytes()


def _files(folder: Path, limits: Limits) -> Iterator[Path]:
    number = 0
    for top, folders, files in os.walk(folder):
        links = [name for name in folders if Path(top, name).is_symlink()]
        for name in (*files, *links):
            path = Path(top, name)
            if path.is_symlink() or path.is_file():
                number += 1
                if number > limits.members:
                    raise TooMuch(
                        f"{folder} holds more than {limits.members} files, the limit",
                        resolution="See what it holds, or raise [limits] members.",
                    )
                yield path


def _digest(source: Readable) -> tuple[str, int]:
    total, size = hashlib.sha256(), 0
    while data := source.read(_PIECE):
        total.update(data)
        size += len(data)
    return total.hexdigest(), size


def _joined(below: str, path: str) -> str:
    return f"{below}/{path}" if below else path
