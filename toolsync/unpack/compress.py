"""Compress the orig tarball to the same bytes on every machine.

xz: the tar is cut into blocks of 4 MiB, each of which becomes an .xz stream of its own; streams
one after the other are one valid .xz file. Where the cuts fall and what comes out of each
depends on nothing but the data, so any number of threads gives the same bytes, and
liblzma runs outside Python's lock. docs/adr/0003-reproducible-orig.md tells what else was tried.
"""

from __future__ import annotations

import bz2
import gzip
import lzma
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from typing import BinaryIO, Protocol

from toolsync.errors import UsageError

_BLOCK = 4 * 1024 * 1024
_THREADS = 2
"""Each takes 50 MB; a third would pass what a small machine has to spare."""
_FILTERS = [{"id": lzma.FILTER_LZMA2, "preset": 6, "dict_size": _BLOCK}]


class Sink(Protocol):
    """Where a tarball is written to."""

    def write(self, data: bytes, /) -> object:
        """Take all of ``data``."""


class _XzBlocks:
    """Cuts what is written into blocks and writes them compressed, in order."""

    def __init__(self, out: BinaryIO, pool: ThreadPoolExecutor) -> None:
        self._out, self._pool = out, pool
        self._block = bytearray()
        self._running: deque[Future[bytes]] = deque()

    def write(self, data: bytes, /) -> None:
        self._block += data
        while len(self._block) >= _BLOCK:
            self._send(bytes(self._block[:_BLOCK]))
            del self._block[:_BLOCK]

    def finish(self) -> None:
        if self._block:
            self._send(bytes(self._block))
        while self._running:
            self._out.write(self._running.popleft().result())

    def _send(self, block: bytes) -> None:
        self._running.append(self._pool.submit(_xz, block))
        if len(self._running) > _THREADS:
            self._out.write(self._running.popleft().result())


def _xz(block: bytes) -> bytes:
    return lzma.compress(block, lzma.FORMAT_XZ, lzma.CHECK_CRC64, filters=_FILTERS)


@contextmanager
def _to_xz(out: BinaryIO) -> Iterator[Sink]:
    with ThreadPoolExecutor(_THREADS) as pool:
        blocks = _XzBlocks(out, pool)
        yield blocks
        blocks.finish()


@contextmanager
def _to_gz(out: BinaryIO) -> Iterator[Sink]:
    with gzip.GzipFile(filename="", mode="wb", compresslevel=9, fileobj=out, mtime=0) as sink:
        yield sink


@contextmanager
def _to_bz2(out: BinaryIO) -> Iterator[Sink]:
    with bz2.BZ2File(out, "wb", compresslevel=9) as sink:
        yield sink


_COMPRESSORS: Mapping[str, Callable[[BinaryIO], AbstractContextManager[Sink]]] = {
    "xz": _to_xz,
    "gz": _to_gz,
    "bz2": _to_bz2,
}
_NAMES = {"gzip": "gz", "bzip2": "bz2", "default": "xz", "": "xz"}


def ending(compression: str) -> str:
    """Return ``xz``, ``gz`` or ``bz2`` for a compression as uscan or a person names it."""
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
