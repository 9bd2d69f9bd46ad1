"""Compress the orig tarball to the same bytes on every machine.

xz and gz: the tar is cut into blocks of 4 MiB, each of which becomes an .xz stream or a gzip
member of its own; one after the other they are one valid file. Where the cuts fall and what comes
out of each depends on nothing but the data, so any number of threads gives the same bytes,
and both libraries run outside Python's lock. docs/adr/0003-reproducible-orig.md tells what else
was tried.
"""

from __future__ import annotations

import bz2
import lzma
import os
import struct
import zlib
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from typing import BinaryIO, Protocol

from toolsync.model.errors import UsageError

_BLOCK = 4 * 1024 * 1024
_THREADS = min(2, len(os.sched_getaffinity(0)))
"""Each takes 50 MB for xz; a third would pass what a small machine has to spare."""
_GZ_LEVEL = 6
_GZ_HEADER = b"\x1f\x8b\x08\0\0\0\0\0\0\xff"
"""Deflate, no flags, no time, nothing on speed, an unknown system."""
_FILTERS = [{"id": lzma.FILTER_LZMA2, "preset": 6, "dict_size": _BLOCK}]


class Sink(Protocol):
    """Where a tarball is written to."""

    def write(self, data: bytes, /) -> object:
        """Take all of ``data``."""


class _Blocks:
    """Cuts what is written into blocks and writes them compressed, in order."""

    def __init__(
        self, out: BinaryIO, pool: ThreadPoolExecutor, pack: Callable[[bytes], bytes]
    ) -> None:
        self._out, self._pool, self._pack = out, pool, pack
        self._block: list[memoryview] = []
        self._held = 0
        self._running: deque[Future[bytes]] = deque()

    def write(self, data: bytes, /) -> None:
        """Take data, and hand each full block to a thread."""
        rest = memoryview(data)
        while self._held + len(rest) >= _BLOCK:
            cut = _BLOCK - self._held
            self._block.append(rest[:cut])
            rest = rest[cut:]
            self._send()
        if rest:
            self._block.append(rest)
            self._held += len(rest)

    def finish(self) -> None:
        """Write the last block and wait for all of them."""
        if self._block:
            self._send()
        while self._running:
            self._out.write(self._running.popleft().result())

    def _send(self) -> None:
        block = b"".join(self._block)
        self._block, self._held = [], 0
        self._running.append(self._pool.submit(self._pack, block))
        if len(self._running) > _THREADS:
            self._out.write(self._running.popleft().result())


def _xz(block: bytes) -> bytes:
    return lzma.compress(block, lzma.FORMAT_XZ, lzma.CHECK_CRC64, filters=_FILTERS)


def _gz(block: bytes) -> bytes:
    """Return one gzip member (RFC 1952) without name and time, under a header of our own.

    What the libraries write there differs between their versions.
    """
    packer = zlib.compressobj(_GZ_LEVEL, zlib.DEFLATED, -zlib.MAX_WBITS)
    body = packer.compress(block) + packer.flush()
    return _GZ_HEADER + body + struct.pack("<II", zlib.crc32(block), len(block))


def _in_blocks(
    pack: Callable[[bytes], bytes],
) -> Callable[[BinaryIO], AbstractContextManager[Sink]]:
    @contextmanager
    def to(out: BinaryIO) -> Iterator[Sink]:
        with ThreadPoolExecutor(_THREADS) as pool:
            blocks = _Blocks(out, pool, pack)
            yield blocks
            blocks.finish()

    return to


@contextmanager
def _to_bz2(out: BinaryIO) -> Iterator[Sink]:
    with bz2.BZ2File(out, "wb", compresslevel=9) as sink:
        yield sink


@contextmanager
def _to_lzma(out: BinaryIO) -> Iterator[Sink]:
    with lzma.LZMAFile(out, "wb", format=lzma.FORMAT_ALONE, preset=6) as sink:
        yield sink


_COMPRESSORS: Mapping[str, Callable[[BinaryIO], AbstractContextManager[Sink]]] = {
    "xz": _in_blocks(_xz),
    "gz": _in_blocks(_gz),
    "bz2": _to_bz2,
    "lzma": _to_lzma,
}
_NAMES = {"gzip": "gz", "bzip2": "bz2", "default": "xz", "": "xz"}


def ending(compression: str) -> str:
    """Return the ending, such as ``xz``, of a compression as uscan or a person names it."""
    form = _NAMES.get(compression, compression)
    if form not in _COMPRESSORS:
        raise UsageError(
            f"an orig tarball cannot be written as {compression!r}; wanted one of: "
            f"{', '.join(sorted(_COMPRESSORS))}",
            resolution="Leave it out to get xz.",
        )
    return form


def compressed(out: BinaryIO, form: str) -> AbstractContextManager[Sink]:
    """Give a sink whose content is in ``out``, compressed, when the block ends."""
    return _COMPRESSORS[form](out)
