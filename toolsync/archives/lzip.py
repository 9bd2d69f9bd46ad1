"""Decompress lzip, which Python lacks: a frame around LZMA (lzip manual, "File format")."""

from __future__ import annotations

import lzma
import zlib

_HEAD, _TAIL = 6, 20
_LARGEST = 64 * 1024 * 1024
"""Dictionary bytes; lzip -9 asks for 32 MiB."""


class Lzip:
    """Decodes one member, with the interface of lzma.LZMADecompressor.

    Raises ValueError or LZMAError for what is no valid member.
    """

    def __init__(self) -> None:
        self._head = self._tail = b""
        self._lzma: lzma.LZMADecompressor | None = None
        self._crc = self._size = 0
        self.eof = False
        self.unused_data = b""

    @property
    def needs_input(self) -> bool:
        """Whether nothing more comes out until something is put in."""
        return self._lzma is None or self._lzma.eof or self._lzma.needs_input

    def decompress(self, data: bytes, max_length: int = -1, /) -> bytes:
        """Take ``data`` and return at most ``max_length`` bytes."""
        if self._lzma is None:
            self._head += data
            if len(self._head) < _HEAD:
                return b""
            self._lzma, data = _opened(self._head[:_HEAD]), self._head[_HEAD:]
        out = b""
        if self._lzma.eof:
            self._tail += data
        else:
            out = self._lzma.decompress(data, max_length)
            self._crc, self._size = zlib.crc32(out, self._crc), self._size + len(out)
            self._tail = self._lzma.unused_data if self._lzma.eof else b""
        if len(self._tail) >= _TAIL:
            self._close()
        return out

    def _close(self) -> None:
        crc = int.from_bytes(self._tail[:4], "little")
        size = int.from_bytes(self._tail[4:12], "little")
        if (crc, size) != (self._crc, self._size):
            raise ValueError("its checksum or size does not match")
        self.eof, self.unused_data = True, self._tail[_TAIL:]


def _opened(head: bytes) -> lzma.LZMADecompressor:
    """Return a decoder for the data after a member's head."""
    if head[:5] != b"LZIP\x01":
        raise ValueError("no lzip member of version 1")
    base = 1 << (head[5] & 0x1F)
    size = base - (base // 16) * (head[5] >> 5)
    if not 4096 <= size <= _LARGEST:
        raise ValueError(f"a dictionary of {size} bytes; wanted 4096 to {_LARGEST}")
    shape = {"id": lzma.FILTER_LZMA1, "dict_size": size, "lc": 3, "lp": 0, "pb": 2}
    return lzma.LZMADecompressor(lzma.FORMAT_RAW, filters=[shape])
