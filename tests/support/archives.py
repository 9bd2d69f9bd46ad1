"""Make good and hostile archives, member by member."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import stat
import struct
import tarfile
import warnings
import zipfile
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import zstandard


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One member as it shall stand in an archive; nothing is checked."""

    name: str
    data: bytes = b""
    kind: bytes = tarfile.REGTYPE
    target: str = ""
    mode: int = 0o644
    mtime: int = 1_700_000_000


def folder(name: str, mtime: int = 1_700_000_000) -> Item:
    return Item(name=name, kind=tarfile.DIRTYPE, mode=0o755, mtime=mtime)


def symlink(name: str, target: str) -> Item:
    return Item(name=name, kind=tarfile.SYMTYPE, target=target, mode=0o777)


def hardlink(name: str, target: str) -> Item:
    return Item(name=name, kind=tarfile.LNKTYPE, target=target)


GOOD = (
    folder("foo-2.0"),
    Item(name="foo-2.0/README", data=b"foo 2.0\n"),
    Item(name="foo-2.0/configure", data=b"#!/bin/sh\nexit 0\n", mode=0o755),
    folder("foo-2.0/src"),
    Item(name="foo-2.0/src/main.c", data=b"int main(void){return 0;}\n" * 40),
)


def tar(items: Iterable[Item] = GOOD, *, form: int = tarfile.PAX_FORMAT) -> bytes:
    """Return a plain tar."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=form) as archive:
        for item in items:
            info = tarfile.TarInfo(item.name)
            info.type, info.linkname, info.mode = item.kind, item.target, item.mode
            info.mtime, info.size, info.uid, info.uname = item.mtime, len(item.data), 1000, "joe"
            archive.addfile(info, io.BytesIO(item.data))
    return out.getvalue()


def zst(data: bytes) -> bytes:
    return zstandard.ZstdCompressor().compress(data)


def lzma_alone(data: bytes) -> bytes:
    return lzma.compress(data, lzma.FORMAT_ALONE)


def lzip(data: bytes) -> bytes:
    """Return one lzip member (dictionary of 8 MiB)."""
    shape = {"id": lzma.FILTER_LZMA1, "preset": 6, "dict_size": 1 << 23}
    # Python writes no end mark, which lzip demands, in raw form; FORMAT_ALONE has one.
    body = lzma.compress(data, lzma.FORMAT_ALONE, filters=[shape])[13:]
    head = b"LZIP\x01" + bytes([23])
    return head + body + struct.pack("<LQQ", zlib.crc32(data), len(data), len(body) + 26)


def gz(data: bytes) -> bytes:
    return gzip.compress(data, mtime=0)


COMPRESSORS: Mapping[str, Any] = {
    "": bytes,
    "gz": gz,
    "bz2": bz2.compress,
    "xz": lzma.compress,
    "lzma": lzma_alone,
    "zst": zst,
    "lz": lzip,
}


def zip_of(items: Iterable[Item] = GOOD, *, dos: bool = False, method: int = 8) -> bytes:
    """Return a zip; with ``dos`` one without Unix modes."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for item in items:
            is_folder = item.kind == tarfile.DIRTYPE
            info = zipfile.ZipInfo(
                item.name + ("/" if is_folder else ""), (2023, 11, 14, 22, 13, 20)
            )
            info.create_system, info.compress_type = (0 if dos else 3), method
            if not dos:
                types = {tarfile.DIRTYPE: stat.S_IFDIR, tarfile.SYMTYPE: stat.S_IFLNK}
                types |= {tarfile.FIFOTYPE: stat.S_IFIFO, tarfile.REGTYPE: stat.S_IFREG}
                info.external_attr = (types[item.kind] | item.mode) << 16
            with warnings.catch_warnings(action="ignore"):  # of a name that is there already
                archive.writestr(info, item.target.encode() or item.data)
    return out.getvalue()


def deb_of(data_name: str, data: bytes) -> bytes:
    """Return a .deb whose data member has this name and content."""
    out = b"!<arch>\n"
    for name, content in (
        ("debian-binary", b"2.0\n"),
        ("control.tar.gz", gz(tar([Item(name="./control", data=b"Package: foo\n")]))),
        (data_name, data),
    ):
        out += f"{name:16}{0:<12}{0:<6}{0:<6}{100644:<8}{len(content):<10}`\n".encode()
        out += content + b"\n" * (len(content) % 2)
    return out


def patched(data: bytes, old: bytes, new: bytes, *, last: bool = False) -> bytes:
    """Return ``data`` with the first (or last) ``old`` replaced by as many bytes."""
    assert old in data
    assert len(old) == len(new)
    at = data.rfind(old) if last else data.find(old)
    return data[:at] + new + data[at + len(old) :]


def with_header(data: bytes, at: int, offset: int, value: bytes) -> bytes:
    """Return a tar whose header at ``at`` holds ``value`` at ``offset``, checksum mended."""
    block = bytearray(data[at : at + 512])
    block[offset : offset + len(value)] = value
    block[148:156] = b" " * 8
    block[148:156] = b"%06o\0 " % sum(block)
    return data[:at] + bytes(block) + data[at + 512 :]


def raw_zip_entry(data: bytes, index: int) -> int:
    """Return where the central directory's entry number ``index`` starts."""
    at = -1
    for _ in range(index + 1):
        at = data.index(b"PK\1\2", at + 1)
    return at
