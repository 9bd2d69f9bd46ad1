"""Read an archive of any kind as hostile input, in one pass and without touching the disk.

What kind it is follows from its first bytes, never from its name. Every fault of the file ends
in Hostile with a sentence of its own; no library's error gets out.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

from toolsync.archives.guard import Guard
from toolsync.archives.member import ASK, Kind, Member, broken, shown
from toolsync.archives.streams import Meter, expand
from toolsync.archives.tarball import BLOCK, is_header, read_tar
from toolsync.archives.zipball import list_zip, read_zip
from toolsync.archives.zipdirectory import ends_as_zip
from toolsync.config.settings import Limits
from toolsync.model.errors import Hostile

ZIP, DEB = "zip", "deb"

_MAGIC = (
    (b"\x1f\x8b", "gz"),
    (b"BZh", "bz2"),
    (b"\xfd7zXZ\0", "xz"),
    (b"\x28\xb5\x2f\xfd", "zst"),
    (b"LZIP", "lz"),
    (b"PK\x03\x04", ZIP),
    (b"PK\x05\x06", ZIP),
    (b"!<arch>\n", DEB),
    (b"\x5d\x00\x00", "lzma"),
)
_PROGRAMS = (b"MZ", b"\x7fELF", b"#!")
"""What a zip that unpacks itself, or runs as a script, begins with."""
_AR_HEAD = 60
_AR_MEMBERS = 20


def archive_form(archive: Path) -> str:
    """Return what the file is by its content.

    ``zip``, ``deb``, the ending of a compressed tar (``gz`` … ``lz``), or ``""`` for a plain
    tar. Raises Hostile for anything else.
    """
    with archive.open("rb") as file:
        return _form(file)


def read_members(archive: Path, limits: Limits, guard: Guard | None = None) -> Iterator[Member]:
    """Yield the members of ``archive`` in its own order, each to be read before the next.

    Pass ``guard`` to read its results afterwards. Links are judged when the last
    member was given: nothing may be trusted before the iterator has ended. Raises Hostile.
    """
    with archive.open("rb") as file:
        form = _form(file)
        guard = guard or guard_for(form, limits)
        for member in _members(file, form, limits):
            guard.admit(member)
            yield member
        guard.finish()


@contextmanager
def zip_members(archive: Path, limits: Limits, guard: Guard) -> Iterator[tuple[Member, ...]]:
    """Yield all members of a zip for the block, links judged, their contents still unread.

    These can be read in any order, each once; what is not read to its end is not judged, and
    nothing may be trusted before that. Raises Hostile, then too.
    """
    with archive.open("rb") as file:
        members = []
        for member in list_zip(file, limits):
            guard.admit(member)
            members.append(member)
        guard.finish()
        yield tuple(members)


def guard_for(form: str, limits: Limits, *, forgiving: bool = False) -> Guard:
    """Return the rules for a tree of this form: a .deb's root is a file system's, not a folder."""
    return Guard(limits, rooted=form == DEB, forgiving=forgiving)


def _members(file: BinaryIO, form: str, limits: Limits) -> Iterator[Member]:
    if form == ZIP:
        return read_zip(file, limits)
    meter = Meter(limits, file.seek(0, 2))
    file.seek(0)
    if form != DEB:
        return read_tar(expand(file, form, meter), limits)
    data = _data_of_deb(file)
    packed = _form(data)
    if packed in (ZIP, DEB):
        raise broken(f"is a .deb whose data.tar is a {packed}; wanted a tar, plain or compressed")
    return map(_rooted, read_tar(expand(data, packed, meter), limits))


def _rooted(member: Member) -> Member:
    """Return a member of a .deb with its link inside the tree: its ``/`` is the package's root.

    Such links are honest there (Debian Policy 10.5), and written as they are would lead a reader
    into the machine that it runs on.
    """
    if member.kind is not Kind.SYMLINK or not member.target.startswith("/"):
        return member
    up = "../" * member.path.count("/")
    return replace(member, target=f"{up}{member.target.lstrip('/')}" or ".")


def _form(file: BinaryIO | _Section) -> str:
    """Return what an open file is, and leave it at its start."""
    file.seek(0)
    head = file.read(BLOCK)
    file.seek(0)
    for magic, form in _MAGIC:
        if head.startswith(magic):
            return form
    if is_header(head):
        return ""
    if head.startswith(_PROGRAMS) and not isinstance(file, _Section) and ends_as_zip(file):
        return ZIP
    if not head:
        raise broken("is empty: it has no bytes at all")
    if not head.strip(b"\0") and len(head) == BLOCK:
        raise Hostile("the archive has no member at all", resolution=ASK)
    what = "is a web page" if head.lstrip()[:1] == b"<" else f"starts with {shown(head[:8])}"
    raise Hostile(
        f"the archive {what}; wanted a zip, a .deb, or a tar, plain or compressed",
        resolution="Look at the address in tool.toml: it may lead to a page, not to a file.",
    )


class _Section:
    """A part of a file, read as if it were one."""

    def __init__(self, file: BinaryIO, start: int, size: int) -> None:
        self._file, self._start, self._size, self._at = file, start, size, 0

    def seek(self, at: int) -> int:
        """Go to ``at`` bytes from the part's start."""
        self._at = at
        return at

    def read(self, size: int = -1, /) -> bytes:
        """Return up to ``size`` bytes."""
        left = self._size - self._at
        self._file.seek(self._start + self._at)
        data = self._file.read(left if size < 0 else min(size, left))
        if not data and left:
            raise broken("ends in the middle of a .deb's member: it was cut short")
        self._at += len(data)
        return data


def _data_of_deb(file: BinaryIO) -> _Section:
    """Return the data.tar of a .deb (deb(5)): an ar file that starts with debian-binary."""
    at = 8
    for number in range(_AR_MEMBERS):
        file.seek(at)
        head = file.read(_AR_HEAD)
        if len(head) < _AR_HEAD:
            break
        name = head[:16].rstrip(b" ").rstrip(b"/")
        if head[58:] != b"`\n" or not head[48:58].strip().isdigit():
            raise broken("is damaged: an ar header of the .deb does not follow the format")
        size = int(head[48:58])
        if number == 0 and (name != b"debian-binary" or not file.read(size).startswith(b"2.")):
            raise broken(f"is an ar file that starts with {shown(name)}; wanted a .deb of format 2")
        if name == b"data.tar" or name.startswith(b"data.tar."):
            return _Section(file, at + _AR_HEAD, size)
        at += _AR_HEAD + size + size % 2
    raise broken("is a .deb without data.tar: it was cut short")
