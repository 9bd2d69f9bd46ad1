"""Read a zip's central directory strictly: what it lists is what the file holds, and once.

Nothing is inflated here. Refused: entries that overlap (the trick of zip bombs and quines),
a directory that is not where the end record says, local headers that name something else. A
program may stand before the first entry (a zip that unpacks itself): then offsets may count from
its end, as zipfile and Info-ZIP read them. Other bytes may follow the end record.
Format: PKWARE's APPNOTE.TXT 6.3.10, section 4.3.
"""

from __future__ import annotations

import calendar
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO

from toolsync.archives.member import PATH_BYTES, broken, refusal
from toolsync.config.settings import Limits
from toolsync.model.errors import Hostile

_END = struct.Struct("<4s4H2LH")
_END64 = struct.Struct("<4sQ2H2L4Q")
_LOCATOR = struct.Struct("<4sLQL")
_ENTRY = struct.Struct("<4s6H3L5H2L")
_LOCAL = struct.Struct("<4s5H3L2H")
_ALL16, _ALL32 = 0xFFFF, 0xFFFFFFFF
_ENCRYPTED = 0x2041  # bits 0, 6 (strong) and 13 (masked headers)
_DESCRIPTOR = 0x08
_LARGEST_COMMENT = 65535


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One line of the central directory."""

    name: bytes
    system: int
    """The system that made it: 0 DOS, 3 Unix, 19 macOS."""
    flags: int
    method: int
    mtime: int
    """Seconds since 1970: the exact time where there is one, else DOS time read as UTC."""
    crc: int
    packed: int
    size: int
    attributes: int
    offset: int
    """Of the local header."""

    @property
    def encrypted(self) -> bool:
        """Whether nobody can see what it holds."""
        return bool(self.flags & _ENCRYPTED)


def read_folder(file: BinaryIO, limits: Limits) -> tuple[list[tuple[Entry, int]], int]:
    """Return the entries, each with the offset of its data, in the order of the file.

    Also returns the file's size. Raises Hostile for anything that does not add up.
    """
    total = file.seek(0, 2)
    count, start, size, shift = _find(file, total)
    if count > limits.members:
        raise Hostile(
            f"the archive has {count} members, the limit is {limits.members}",
            resolution="If upstream really ships so many, raise [limits] members.",
        )
    found = _entries(file, count, start, size, shift)
    entries = sorted(found, key=lambda entry: entry.offset)
    placed, free = [], 0
    for entry in entries:
        data = _data_offset(file, entry, start)
        if entry.offset < free:
            raise refusal(entry.name, "overlaps another member, as a zip bomb's do")
        free = data + entry.packed
        if free > start:
            raise refusal(entry.name, "reaches into the zip's directory")
        placed.append((entry, data))
    return placed, total


def ends_as_zip(file: BinaryIO) -> bool:
    """Say whether a file that begins as something else ends as a zip; leave it at its start."""
    try:
        _find(file, file.seek(0, 2))
    except Hostile:
        return False
    finally:
        file.seek(0)
    return True


def _find(file: BinaryIO, total: int) -> tuple[int, int, int, int]:
    """Return how many entries there are, where the directory starts, and its size.

    Also returns how many bytes stand before the zip that its offsets do not count.
    """
    tail_size = min(total, _END.size + _LARGEST_COMMENT)
    file.seek(total - tail_size)
    tail = file.read(tail_size)
    at = tail.rfind(b"PK\5\6")
    while at >= 0:
        if len(tail) - at >= _END.size:
            found = _END.unpack_from(tail, at)
            # More may follow, such as a signature or padding: readers look for the last record.
            if at + _END.size + found[7] <= len(tail):
                break
        at = tail.rfind(b"PK\5\6", 0, at)
    if at < 0:
        raise broken("has no end record of a zip: it was cut short")
    _, disk, first_disk, here, count, size, start, _ = found
    end = total - tail_size + at
    if _ALL16 in (disk, count) or _ALL32 in (size, start):
        count, size, start, end = _find64(file, end, (count, size, start))
    elif disk or first_disk or here != count:
        raise broken("is one part of a zip of several; wanted a whole one")
    file.seek(0)
    before = end - start - size
    if before < 0 or (before and file.read(2) == b"PK"):
        raise broken("is damaged: the zip's directory is not where its end record says")
    return count, start + before, size, before


def _find64(file: BinaryIO, end: int, plain: tuple[int, int, int]) -> tuple[int, int, int, int]:
    """Return count, size and start from the zip64 records, and where those begin."""
    locator = _at(file, end - _LOCATOR.size, _LOCATOR)
    if locator is None or locator[0] != b"PK\6\7":
        count, size, start = plain
        return count, size, start, end
    record = _at(file, locator[2], _END64)
    if record is None or record[0] != b"PK\6\6" or locator[2] + 12 + record[1] > end:
        raise broken("is damaged: its zip64 end record is not where its locator says")
    _, _, _, _, disk, first_disk, here, count, size, start = record
    if disk or first_disk or here != count:
        raise broken("is one part of a zip of several; wanted a whole one")
    return count, size, start, locator[2]


def _at(file: BinaryIO, offset: int, shape: struct.Struct) -> tuple[Any, ...] | None:
    """Return a record's fields, None where the file does not hold it."""
    if offset < 0 or offset > file.seek(0, 2) - shape.size:
        return None
    file.seek(offset)
    return shape.unpack(file.read(shape.size))


def _entries(file: BinaryIO, count: int, start: int, size: int, shift: int) -> Iterator[Entry]:
    """Yield the entries of the central directory; raise Hostile where its size is wrong."""
    file.seek(start)
    left = size
    for _ in range(count):
        head = file.read(_ENTRY.size)
        if len(head) < _ENTRY.size or left < _ENTRY.size:
            raise broken("is damaged: the zip's directory ends too early")
        fields = _ENTRY.unpack(head)
        name_size, extra_size, comment_size = fields[10:13]
        left -= _ENTRY.size + name_size + extra_size + comment_size
        if fields[0] != b"PK\1\2" or left < 0:
            raise broken("is damaged: the zip's directory holds something else")
        name, extra = file.read(name_size), file.read(extra_size)
        file.seek(comment_size, 1)
        if name_size > PATH_BYTES:
            raise refusal(name, f"has a name of {name_size} bytes; wanted at most {PATH_BYTES}")
        yield _entry(fields, name, extra, shift)
    if left:
        raise broken("is damaged: the zip's directory lists more than its end record says")


def _entry(fields: tuple[Any, ...], name: bytes, extra: bytes, shift: int) -> Entry:
    """Return an entry with its zip64 sizes; raise Hostile for an impossible one."""
    flags, method, time, date, crc, packed, size = fields[3:10]
    offset = fields[16]
    blocks = dict(_blocks(name, extra))
    wide = blocks.get(1, b"")
    if 8 * (size, packed, offset).count(_ALL32) > len(wide):
        raise refusal(name, "has a size that its zip64 record does not tell")
    numbers = iter(struct.unpack_from(f"<{len(wide) // 8}Q", wide))
    size, packed, offset = (
        next(numbers) if value == _ALL32 else value for value in (size, packed, offset)
    )
    return Entry(
        name=name,
        system=fields[1] >> 8,
        flags=flags,
        method=method,
        mtime=_mtime(date, time, blocks.get(0x5455, b"")),
        crc=crc,
        packed=packed,
        size=size,
        attributes=fields[15],
        offset=offset + shift,
    )


def _blocks(name: bytes, extra: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield the tagged blocks of an extra field; up to 3 bytes of padding may follow."""
    at = 0
    while at + 4 <= len(extra):
        tag, size = struct.unpack_from("<2H", extra, at)
        at += 4 + size
        if at > len(extra):
            raise refusal(name, "has an extra field that does not add up")
        yield tag, extra[at - size : at]


def _mtime(date: int, time: int, exact: bytes) -> int:
    """Return Info-ZIP's exact time where it is given, else DOS time read as UTC.

    DOS time has no time zone; reading it as local time is what makes other repacks differ.
    """
    if len(exact) >= 5 and exact[0] & 1:
        return int.from_bytes(exact[1:5], "little", signed=True)
    year, month, day = 1980 + (date >> 9), (date >> 5) & 15, date & 31
    if not (1 <= month <= 12 and 1 <= day <= 31):
        return 0
    seconds: int = calendar.timegm(
        (year, month, day, time >> 11, (time >> 5) & 63, 2 * (time & 31))
    )
    return seconds


def _data_offset(file: BinaryIO, entry: Entry, end: int) -> int:
    """Return where an entry's data starts; refuse a local header that tells another story."""
    head = _at(file, entry.offset, _LOCAL)
    if head is None or head[0] != b"PK\3\4" or entry.offset + _LOCAL.size > end:
        raise refusal(entry.name, "is not where the zip's directory says")
    _, _, flags, method, _, _, crc, packed, size, name_size, extra_size = head
    name = file.read(name_size)
    told = (flags & _DESCRIPTOR) or (
        crc == entry.crc and packed in (entry.packed, _ALL32) and size in (entry.size, _ALL32)
    )
    alike = name == entry.name and method == entry.method
    if not alike or (flags & _ENCRYPTED and not entry.encrypted) or not told:
        raise refusal(entry.name, "differs between the zip's directory and its own header")
    return entry.offset + _LOCAL.size + int(name_size + extra_size)
