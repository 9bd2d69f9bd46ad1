"""Give a zip's members with their contents, inflated piece by piece and checked."""

from __future__ import annotations

import bz2
import hashlib
import stat
import zlib
from collections.abc import Iterator
from dataclasses import replace
from typing import BinaryIO

from toolsync.archives.body import Body, Pieces
from toolsync.archives.member import (
    NOTHING,
    PATH_BYTES,
    Kind,
    Member,
    clean_path,
    name_of,
    refusal,
    shown,
    unreadable,
)
from toolsync.archives.streams import Decoder, Inflate, Meter, decode
from toolsync.archives.zipdirectory import Entry, read_folder
from toolsync.config.settings import Limits
from toolsync.model.errors import Hostile

_PIECE = 256 * 1024
_STORED, _DEFLATED, _BZIP2 = 0, 8, 12
_UNIX = (3, 19)
_DOS = 0
_READ = Pieces(iter(()))
_TYPES = {stat.S_IFLNK: Kind.SYMLINK, stat.S_IFDIR: Kind.FOLDER, stat.S_IFREG: Kind.FILE}


class Content(Body):
    """A file's content, inflated when it is first read, in any order while the zip is open.

    It is judged whole when it is read to its end: size, CRC, and that nothing follows.
    """

    def __init__(self, file: BinaryIO, entry: Entry, offset: int, meter: Meter) -> None:
        super().__init__(self._inflate, entry.size, entry.name)
        self._of = file, entry, offset, meter
        self._pieces: Pieces | None = None

    def read(self, size: int = -1, /) -> bytes:
        """Return up to ``size`` bytes, all that is left when it is negative."""
        data = super().read(size)
        if not data and size:
            if self._inflate(1):
                entry = self._of[1]
                raise refusal(entry.name, f"holds more than the {entry.size} bytes that it states")
            self._pieces = _READ  # many members are open at once: keep nothing of this one
        return data

    def _inflate(self, most: int) -> bytes:
        if self._pieces is None:
            self._pieces = Pieces(_contents(*self._of))
        return self._pieces.some(most)

    def begins(self, start: bytes) -> bool:
        """Say whether the content begins so, without keeping any of it."""
        return next(_inflated(*self._of[:3]), b"").startswith(start)


def list_zip(file: BinaryIO, limits: Limits) -> Iterator[Member]:
    """Yield the members of a zip or jar, in the order in which the file holds them.

    Their contents can be read at any time while the file is open, each once and to its end:
    only then is it judged. Raises Hostile for whatever is unsafe or does not add up. What is
    there twice with the same bytes is one member.
    """
    placed, total = read_folder(file, limits)
    meter = Meter(limits, total)
    seen: dict[str, tuple[Member, Entry, int]] = {}
    for entry, offset in placed:
        content = Content(file, entry, offset, meter)
        member = _member(entry, content)
        if _is_sealed(entry):
            meter.add(entry.size)
        elif member is None or member.data is NOTHING:
            content.skip()
        if member is None:
            continue
        before = seen.setdefault(member.path, (member, entry, offset))
        if before[1] is not entry and replace(before[0], mtime=member.mtime) == member:
            if not member.size:
                continue
            if member.data is content and before[1].crc == entry.crc:
                same = Content(file, *before[1:], Meter(limits, total))
                if _digest(same) == _digest(content):
                    continue
                member = replace(member, data=NOTHING)  # it is read, and will be refused
        yield member


def _digest(content: Content) -> bytes:
    total = hashlib.sha256()
    while data := content.read(_PIECE):
        total.update(data)
    return total.digest()


def read_zip(file: BinaryIO, limits: Limits) -> Iterator[Member]:
    """Yield the members of a zip as `list_zip` does, judging each before the next is given."""
    for member in list_zip(file, limits):
        yield member
        if isinstance(member.data, Content):
            member.data.skip()


def _member(entry: Entry, content: Content) -> Member | None:
    """Return the member that an entry is, None for the archive's root."""
    name = entry.name
    if entry.system == _DOS:  # programs on DOS and Windows write their own separator
        name = name.replace(b"\\", b"/")
    path, kind = clean_path(name), _kind(entry, name)
    if not path and kind is Kind.FOLDER:
        return None
    if not path:
        raise refusal(entry.name, f"is a {kind} without a name")
    mode = entry.attributes >> 16 if entry.system in _UNIX else 0
    if kind is Kind.FOLDER:
        if entry.size:
            raise refusal(name, f"is a folder with {entry.size} bytes of content; wanted none")
        return Member(path=path, kind=kind, mtime=entry.mtime, fault=unreadable(path))
    if fault := _sealed(entry) or _special(name, mode):
        return Member(path=path, kind=Kind.FILE, size=entry.size, fault=fault)
    if kind is Kind.SYMLINK:
        target, fault = _target(entry, path, content)
        fault = unreadable(path) or fault
        return Member(path=path, kind=kind, mtime=entry.mtime, target=target, fault=fault)
    # Without Unix modes (made on DOS, or by a careless library) a script tells by its first line.
    executable = bool(mode & 0o111) if mode else bool(entry.size) and content.begins(b"#!")
    return Member(
        path=path,
        kind=kind,
        executable=executable,
        mtime=entry.mtime,
        size=entry.size,
        special=bool(mode & 0o6000),
        fault=unreadable(path),
        data=content if entry.size else NOTHING,
    )


def _is_sealed(entry: Entry) -> bool:
    return entry.encrypted or entry.method not in (_STORED, _DEFLATED, _BZIP2)


def _sealed(entry: Entry) -> Hostile | None:
    """Return the refusal of an entry whose content cannot be read, None of any other."""
    if entry.encrypted:
        return refusal(
            entry.name,
            "is encrypted, so nobody can see what it holds",
            "Ask upstream for an archive without a password.",
        )
    if _is_sealed(entry):
        return refusal(
            entry.name,
            f"is compressed by zip method {entry.method}; wanted 0 (stored), 8 or 12",
            "Repack it by hand and look at what it holds, or ask upstream for a plain zip.",
        )
    return None


def _kind(entry: Entry, name: bytes) -> Kind:
    if name.endswith(b"/"):
        return Kind.FOLDER
    mode = entry.attributes >> 16 if entry.system in _UNIX else 0
    return _TYPES.get(stat.S_IFMT(mode), Kind.FILE)


def _special(name: bytes, mode: int) -> Hostile | None:
    if name.endswith(b"/") or stat.S_IFMT(mode) in (0, *_TYPES):
        return None
    return refusal(name, f"is a device, fifo or socket (mode {mode:o})")


def _target(entry: Entry, path: str, content: Content) -> tuple[str, Hostile | None]:
    """Return where a symlink leads, or why it is none."""
    if not 0 < entry.size <= PATH_BYTES:
        wanted = f"is a link to a name of {entry.size} bytes; wanted 1 to {PATH_BYTES}"
        return "", refusal(path, wanted)
    target = name_of(content.read())
    if "\\" in target or unreadable(target):
        return target, refusal(path, f"is a symlink to {shown(target)}; wanted a plain name")
    return target, None


def _contents(file: BinaryIO, entry: Entry, offset: int, meter: Meter) -> Iterator[bytes]:
    """Yield an entry's content; refuse it at the end if size or CRC are not as stated."""
    size = crc = 0
    for piece in _inflated(file, entry, offset):
        meter.add(len(piece))
        size += len(piece)
        crc = zlib.crc32(piece, crc)
        if size > entry.size:
            raise refusal(entry.name, f"holds more than the {entry.size} bytes that it states")
        yield piece
    if size != entry.size:
        raise refusal(entry.name, f"holds {size} bytes and states {entry.size}")
    if crc != entry.crc:
        raise refusal(entry.name, f"is damaged: its CRC is {crc:08x}, stated {entry.crc:08x}")


def _inflated(file: BinaryIO, entry: Entry, offset: int) -> Iterator[bytes]:
    """Yield an entry's content as its method decompresses it, unchecked."""
    packed = _packed(file, entry, offset)
    if entry.method == _STORED:
        yield from packed
        return
    decoder: Decoder = Inflate(-15) if entry.method == _DEFLATED else bz2.BZ2Decompressor()
    while not decoder.eof:
        ended, data = False, b""
        if decoder.needs_input:
            data = next(packed, b"")
            ended = not data
        piece = decode(decoder, data, "zip")
        if piece:
            yield piece
        elif ended and not decoder.eof:
            raise refusal(entry.name, "ends in the middle of its compressed data")
    if decoder.unused_data or next(packed, b""):
        raise refusal(entry.name, "has more data behind its compressed content")


def _packed(file: BinaryIO, entry: Entry, offset: int) -> Iterator[bytes]:
    """Yield the bytes as they stand in the file, wherever others have moved its position."""
    at, end = offset, offset + entry.packed
    while at < end:
        file.seek(at)
        data = file.read(min(_PIECE, end - at))
        if not data:
            raise refusal(entry.name, "ends after the file's end")
        at += len(data)
        yield data
