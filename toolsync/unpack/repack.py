"""Write a tree as a tarball whose bytes follow from the tree alone.

Members are sorted by the bytes of their names; missing folders are added; owners, modes and
folders' times are ours; of hard links the first in order carries the content. Neither the order
and the folder times of the given archive, nor time zone, locale, umask or cores can show.
"""

from __future__ import annotations

import tarfile
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Protocol

from toolsync.archives.member import Kind, Member, as_bytes
from toolsync.unpack.compress import Sink, compressed

OLDEST = 315532800
"""1980-01-01 UTC: the oldest time that a zip can state, and dpkg and others expect no older."""
NEWEST = 2**32 - 1
_PIECE = 256 * 1024
_RECORD = 10240
"""GNU tar's record: a tarball is a multiple of it long."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tree:
    """What is to be written: the kept members by path, and where they go."""

    members: Mapping[str, Member]
    origin: Mapping[str, str]
    """For a hard link, the path of the file that it repeats (also when that is left out)."""
    below: str
    """The folder under which everything is put, ``""`` where the tree has a top of its own."""

    @property
    def needed(self) -> frozenset[str]:
        """The paths whose content must be at hand."""
        return frozenset(
            self.origin.get(path, path)
            for path, member in self.members.items()
            if member.kind in (Kind.FILE, Kind.HARDLINK)
        )


def clamped(mtime: int) -> int:
    """Return a time that every tar and zip can hold."""
    return max(OLDEST, min(NEWEST, mtime))


def newest(members: Iterable[Member]) -> int:
    """Return the newest time of what is no folder, clamped; folders' times are accidents."""
    times = [member.mtime for member in members if member.kind is not Kind.FOLDER]
    return clamped(max(times, default=OLDEST))


class Contents(Protocol):
    """Where the files' contents come from, in any order."""

    def size(self, path: str) -> int:
        """Return how many bytes there are under ``path``."""

    def copy(self, path: str, sink: Sink) -> None:
        """Write to ``sink`` what there is under ``path``."""


class Direct:
    """Contents that are read where they are, each once, when they are written."""

    def __init__(self, files: Mapping[str, Member]) -> None:
        self._files = files

    def size(self, path: str) -> int:
        """Return how many bytes the archive states; others are refused when they are read."""
        return self._files[path].size

    def copy(self, path: str, sink: Sink) -> None:
        """Write to ``sink`` what the archive holds under ``path``."""
        while data := self._files[path].data.read(_PIECE):
            sink.write(data)


class Spool:
    """Contents on the disk, in the given order, to be read in another; without a name there."""

    def __init__(self, folder: Path) -> None:
        self._file: BinaryIO = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115 (closed by __exit__)
        self._places: dict[str, tuple[int, int]] = {}

    def __enter__(self) -> Spool:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def keep(self, member: Member) -> None:
        """Take a file's content."""
        start = self._file.seek(0, 2)
        size = 0
        while data := member.data.read(_PIECE):
            size += self._file.write(data)
        self._places[member.path] = start, size

    def size(self, path: str) -> int:
        """Return how many bytes are kept under ``path``."""
        return self._places[path][1]

    def copy(self, path: str, sink: Sink) -> None:
        """Write to ``sink`` what is kept under ``path``."""
        start, left = self._places[path]
        self._file.seek(start)
        while left and (data := self._file.read(min(left, _PIECE))):
            sink.write(data)
            left -= len(data)


def write_tarball(
    tree: Tree, contents: Contents, files: Mapping[str, Member], path: Path, form: str
) -> None:
    """Write ``tree`` to ``path``, compressed as ``form``; ``files`` are the origins' members."""
    times = _folder_times(tree, files)
    links: dict[str, str] = {}
    size = 0
    with path.open("xb") as out, compressed(out, form) as sink:
        for name in sorted({*tree.members, *times}, key=as_bytes):
            member = tree.members.get(name)
            info = tarfile.TarInfo("/".join(filter(None, (tree.below, name))))
            info.mode, info.type = 0o755, tarfile.DIRTYPE
            origin = ""
            if member is None or member.kind is Kind.FOLDER:
                info.mtime = times[name]
            elif member.kind is Kind.SYMLINK:
                info.type, info.mode, info.linkname = tarfile.SYMTYPE, 0o777, member.target
                info.mtime = clamped(member.mtime)
            else:
                origin = tree.origin.get(name, name)
                _describe(info, files[origin], links.setdefault(origin, info.name))
                if info.type == tarfile.REGTYPE:
                    info.size = contents.size(origin)
            header = info.tobuf(tarfile.GNU_FORMAT, "utf-8", "surrogateescape")
            sink.write(header)
            if info.size:
                contents.copy(origin, sink)
                sink.write(bytes(-info.size % 512))
            size += len(header) + info.size + -info.size % 512
        sink.write(bytes(1024 + -(size + 1024) % _RECORD))


def _describe(info: tarfile.TarInfo, file: Member, first: str) -> None:
    """Fill in a file's header, or a hard link's when ``first`` carries the content already."""
    info.mode = 0o755 if file.executable else 0o644
    info.mtime = clamped(file.mtime)
    info.type = tarfile.REGTYPE
    if first != info.name:
        info.type, info.linkname = tarfile.LNKTYPE, first


def _folder_times(tree: Tree, files: Mapping[str, Member]) -> dict[str, int]:
    """Return every folder, named or missing, with the newest time of what lies below it.

    An empty folder gets the newest time of all: its own tells when somebody made the archive.
    """
    times: dict[str, int] = {}
    latest = OLDEST
    for path, member in tree.members.items():
        mtime, folder = 0, path
        if member.kind is not Kind.FOLDER:
            mtime = clamped(files.get(tree.origin.get(path, path), member).mtime)
            latest, folder = max(latest, mtime), path.rpartition("/")[0]
        times[folder] = max(times.get(folder, 0), mtime)
        while (folder := folder.rpartition("/")[0]) and folder not in times:
            times[folder] = 0
    for folder in sorted(times, reverse=True):  # what lies below comes first
        above = folder.rpartition("/")[0]
        times[above] = max(times.get(above, 0), times[folder])
    if not tree.below:
        del times[""]
    return {path: mtime or latest for path, mtime in times.items()}
