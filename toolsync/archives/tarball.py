"""Read a tar stream strictly: ustar, GNU long names and pax, and nothing that is ambiguous.

An untouched orig tarball is later unpacked by GNU tar, so whatever two readers may understand
differently is refused instead of interpreted: lone oddities of old dialects, data after the end.
Of devices, sparse files and the like no more is read than where they end: their members have a
``fault``. Formats: POSIX.1-2017 pax, "ustar Interchange Format"; GNU tar manual, "Standard".
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from toolsync.archives.body import Body, Pieces
from toolsync.archives.member import (
    NOTHING,
    Kind,
    Member,
    broken,
    clean_path,
    name_of,
    refusal,
    shown,
    unreadable,
)
from toolsync.config.settings import Limits
from toolsync.model.errors import Hostile

BLOCK = 512
_EXTENDED = 1024 * 1024
"""Bytes of one extended header; honest ones hold a name or an access list."""
_KINDS = {b"0": Kind.FILE, b"\0": Kind.FILE, b"7": Kind.FILE, b"1": Kind.HARDLINK}
_KINDS |= {b"2": Kind.SYMLINK, b"5": Kind.FOLDER}
_REFUSED = {
    b"3": "is a character device",
    b"4": "is a block device",
    b"6": "is a fifo",
    b"S": "is a sparse file",
    b"M": "continues a file of another volume",
    b"D": "is a folder of an incremental dump",
}
_EMPTY = b"346"
"""Types of members that hold no content."""
_OCTAL = re.compile(rb" *([0-7]*)[ \0]*\Z")
_RECORD = re.compile(rb"([1-9][0-9]{0,6}) ")
_SECONDS = re.compile(rb"(-?[0-9]{1,15})(\.[0-9]*)?\Z")


@dataclass(slots=True)
class _Extended:
    """What headers before a member's own say about it."""

    pax: dict[bytes, bytes] = field(default_factory=dict)
    name: bytes | None = None
    target: bytes | None = None
    sparse: bool = False

    def __bool__(self) -> bool:
        return bool(self.pax) or self.name is not None or self.target is not None


def read_tar(pieces: Iterator[bytes], limits: Limits) -> Iterator[Member]:
    """Yield the members of the tar that ``pieces`` make up, in order.

    Reads to the very end, so that checksums behind the data are checked too. Raises Hostile.
    """
    source = Pieces(pieces)
    extended, shared_mtime, headers = _Extended(), b"", 0
    while any(block := source.exactly(BLOCK)):
        headers += 1
        _check(block, first=headers == 1)
        if headers > 3 * limits.members + 3:
            raise broken(f"has more than {headers - 1} tar headers; wanted 3 a member at most")
        kind = block[156:157]
        if kind in b"LKxg":
            shared_mtime = _extend(extended, kind, block, source) or shared_mtime
            continue
        if shared_mtime:
            extended.pax.setdefault(b"mtime", shared_mtime)
        member = _member(block, extended, source)
        extended = _Extended()
        if member is not None:
            yield member
            _finish(member, source)
    if extended:
        raise broken("ends after an extended header: it was cut short")
    _check_end(block, source)


def _check(block: bytes, *, first: bool) -> None:
    """Refuse a block that is no header."""
    if len(block) < BLOCK:
        raise broken("is no tar, or ends in the middle of a tar header")
    if not is_header(block):
        raise broken(
            "is compressed, but no tar is inside"
            if first
            else "is damaged: a tar header's checksum does not match"
        )


def is_header(block: bytes) -> bool:
    """Say whether 512 bytes have a tar header's checksum."""
    found = _OCTAL.match(block[148:156])
    if len(block) != BLOCK or found is None or not found[1]:
        return False
    return int(found[1], 8) == sum(block) - sum(block[148:156]) + 8 * 32


def _finish(member: Member, source: Pieces) -> None:
    """Pass over what the user did not read, and over the padding."""
    if isinstance(member.data, Body):
        member.data.skip()
    source.exactly(-member.size % BLOCK)


def _check_end(block: bytes, source: Pieces) -> None:
    if len(block) != BLOCK:
        raise broken("has no end mark of a tar (a block of zeros): it was cut short")
    while data := source.some(65536):
        if data.strip(b"\0"):
            raise broken("has more data after the tar's end mark, which readers may or may not see")


def _extend(extended: _Extended, kind: bytes, block: bytes, source: Pieces) -> bytes:
    """Read an extended header; return the mtime that a global one sets for all, else b""."""
    size = _number(block[124:136], "size")
    if not 0 <= size <= _EXTENDED:
        raise broken(f"has an extended header of {size} bytes; wanted at most {_EXTENDED}")
    data = source.exactly(size + -size % BLOCK)
    if len(data) < size:
        raise broken("ends in the middle of an extended header: it was cut short")
    data = data[:size]
    if kind in b"LK":
        text = data.partition(b"\0")[0]
        if (extended.name if kind == b"L" else extended.target) is not None:
            raise refusal(text, "is named twice by extended headers")
        if kind == b"L":
            extended.name = text
        else:
            extended.target = text
        return b""
    records = dict(_records(data))
    sparse = {key for key in records if key.startswith(b"GNU.sparse")}
    sparse |= {b"SCHILY.realsize"} & records.keys()
    extended.sparse = extended.sparse or bool(sparse)
    if kind == b"g":
        if wrong := sparse | {b"path", b"linkpath", b"size"} & records.keys():
            raise broken(f"sets {min(wrong).decode()} for all members at once")
        return records.get(b"mtime", b"")
    extended.pax |= records
    return b""


def _records(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield the keys and values of a pax header: ``LENGTH KEY=VALUE NEWLINE`` each."""
    at = 0
    while at < len(data):
        found = _RECORD.match(data, at)
        end = at + int(found[1]) if found else 0
        if found is None or not found.end() < end <= len(data) or data[end - 1] != 0x0A:
            raise broken("is damaged: a pax header does not follow the format")
        key, equals, value = data[found.end() : end - 1].partition(b"=")
        if not equals:
            raise broken("is damaged: a pax header does not follow the format")
        yield key, value
        at = end


def _member(block: bytes, extended: _Extended, source: Pieces) -> Member | None:
    """Return the member whose own header is ``block``, None for the archive's root."""
    raw = _name(block, extended)
    path, flag = clean_path(raw), block[156:157]
    fault = unreadable(path) if flag in _KINDS and not extended.sparse else _oddity(raw, flag)
    kind = Kind.FOLDER if raw.endswith(b"/") and flag in b"0\0" else _KINDS.get(flag, Kind.FILE)
    size = _size(block, extended, raw)
    if size and (kind is not Kind.FILE or flag in _EMPTY):
        what = kind if flag in _KINDS else "device or fifo"
        raise refusal(raw, f"is a {what} with {size} bytes of content; wanted none")
    if not path:
        if kind is Kind.FOLDER:
            return None
        raise refusal(raw, f"is a {kind} without a name")
    if flag == b"S":
        _pass_over_map(block, source)
    target = ""
    if kind in (Kind.SYMLINK, Kind.HARDLINK):
        target = _target(block, extended, kind, path)
        fault = fault or _target_fault(target, kind, path)
    mode = _number(block[100:108], "mode")
    return Member(
        path=path,
        kind=kind,
        executable=kind is Kind.FILE and bool(mode & 0o111),
        mtime=_mtime(block, extended),
        size=size,
        target=target,
        special=kind is Kind.FILE and bool(mode & 0o6000),
        fault=fault,
        data=Body(source.some, size, path) if kind is Kind.FILE else NOTHING,
    )


def _oddity(raw: bytes, flag: bytes) -> Hostile:
    """Return the refusal of what is neither file, folder nor link."""
    what = _REFUSED[b"S"] if flag in _KINDS else f"is of the unknown type {shown(flag)}"
    return refusal(raw, _REFUSED.get(flag, what))


def _pass_over_map(block: bytes, source: Pieces) -> None:
    """Pass over the blocks with which an old GNU sparse file's list of pieces goes on."""
    at = 482
    while block[at : at + 1] not in (b"\0", b""):
        block, at = source.exactly(BLOCK), 504


def _name(block: bytes, extended: _Extended) -> bytes:
    pax = extended.pax.get(b"GNU.sparse.name", extended.pax.get(b"path"))
    if pax is not None and extended.name is not None:
        raise refusal(pax, "is named twice by extended headers")
    long = pax if pax is not None else extended.name
    if long is not None:
        return long
    name = block[:100].partition(b"\0")[0]
    prefix = block[345:500].partition(b"\0")[0]
    # GNU's own format keeps times where POSIX has the prefix; its magic is "ustar  ".
    return prefix + b"/" + name if prefix and block[257:263] == b"ustar\0" else name


def _target(block: bytes, extended: _Extended, kind: Kind, path: str) -> str:
    pax = extended.pax.get(b"linkpath")
    raw = pax if pax is not None else extended.target
    if raw is None:
        raw = block[157:257].partition(b"\0")[0]
    elif pax is not None and extended.target is not None:
        raise refusal(path, "has its target named twice by extended headers")
    return clean_path(raw) if kind is Kind.HARDLINK else name_of(raw)


def _target_fault(target: str, kind: Kind, path: str) -> Hostile | None:
    if not target or "\\" in target or unreadable(target):
        return refusal(path, f"is a {kind} to {shown(target)}; wanted a plain name")
    return None


def _size(block: bytes, extended: _Extended, raw: bytes) -> int:
    pax = extended.pax.get(b"size")
    if pax is not None and not re.fullmatch(rb"[0-9]{1,18}", pax):
        raise refusal(raw, f"has the size {shown(pax)}; wanted a number")
    size = int(pax) if pax is not None else _number(block[124:136], "size")
    if size < 0:
        raise refusal(raw, f"has the size {size}; wanted 0 or more")
    return size


def _mtime(block: bytes, extended: _Extended) -> int:
    pax = extended.pax.get(b"mtime")
    if pax is None:
        return _number(block[136:148], "time")
    found = _SECONDS.match(pax)
    if found is None:
        raise broken(f"is damaged: a pax header has the time {shown(pax)}; wanted seconds")
    return int(found[1])


def _number(data: bytes, what: str) -> int:
    """Return a header's number: octal, or base 256 where the first bit says so (GNU)."""
    if data[0] & 0x80:
        return int.from_bytes(bytes([data[0] & 0x7F]) + data[1:], "big") - (
            (1 << (8 * len(data) - 1)) if data[0] & 0x40 else 0
        )
    found = _OCTAL.match(data)
    if found is None:
        raise broken(f"is damaged: a tar header has the {what} {shown(data)}; wanted octal digits")
    return int(found[1] or b"0", 8)
