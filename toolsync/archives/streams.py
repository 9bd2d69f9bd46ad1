"""Decompress untrusted data: bounded in output, memory and number of streams.

A decompressor is fed piece by piece and asked for a bounded piece of output, so a bomb is
stopped at its limit and never stands in memory. Every error of the libraries becomes Hostile.
"""

from __future__ import annotations

import bz2
import lzma
import zlib
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Protocol

from toolsync.archives.lzip import Lzip
from toolsync.archives.member import Readable, broken
from toolsync.config.settings import Limits
from toolsync.model.errors import Hostile

_IN = 64 * 1024
_OUT = 256 * 1024
_STREAMS = 100_000
"""Concatenated streams in one file; bgzip makes one for every 64 KiB."""
_MEMORY = 256 * 1024 * 1024
"""For a decompressor; xz -9 needs 65 MiB, a hostile header may ask for 4 GiB."""

FLOOR = 64 * 1024 * 1024
"""Bytes that may come out of any archive, whatever its ratio: 40 MiB of zeros are a test file."""


class Decoder(Protocol):
    """The interface that bz2 and lzma share; the others have adapters."""

    @property
    def eof(self) -> bool:
        """Whether the stream's own end was reached."""

    @property
    def needs_input(self) -> bool:
        """Whether nothing more comes out until something is put in."""

    @property
    def unused_data(self) -> bytes:
        """What was put in after the stream's end."""

    def decompress(self, data: bytes, max_length: int, /) -> bytes:
        """Take ``data`` and return at most ``max_length`` bytes."""


class Meter:
    """Counts what comes out of one archive and stops it at the limit."""

    def __init__(self, limits: Limits, packed: int) -> None:
        self._limits, self._packed, self._size = limits, packed, 0
        self._ratio_size = max(FLOOR, limits.ratio * packed)

    def add(self, size: int) -> None:
        """Count ``size`` more bytes."""
        self._size += size
        if self._size > self._limits.unpacked_bytes:
            raise Hostile(
                f"the archive holds more than {self._limits.unpacked_bytes} bytes, the limit",
                resolution="If upstream really ships so much, raise [limits] unpacked_bytes.",
            )
        if self._size > self._ratio_size:
            raise Hostile(
                f"the archive of {self._packed} bytes unpacks to more than {self._ratio_size}, "
                f"beyond {self._limits.ratio} times its size: that is how a bomb looks",
                resolution="If upstream's file is honest, raise [limits] ratio.",
            )


class Inflate:
    """zlib's decoder with the others' interface; ``bits`` is 31 for gzip, -15 for bare deflate."""

    def __init__(self, bits: int) -> None:
        self._z = zlib.decompressobj(bits)

    @property
    def eof(self) -> bool:
        """Whether the stream's own end was reached."""
        return self._z.eof

    @property
    def needs_input(self) -> bool:
        """Whether nothing more comes out until something is put in."""
        return not self._z.unconsumed_tail

    @property
    def unused_data(self) -> bytes:
        """What was put in after the stream's end."""
        return self._z.unused_data

    def decompress(self, data: bytes, max_length: int, /) -> bytes:
        """Take ``data`` and return at most ``max_length`` bytes."""
        return self._z.decompress(self._z.unconsumed_tail + data, max_length)


class _Zstd:
    """Its library cannot bound the output, so the input is: a block of 128 KiB takes 4 bytes."""

    _BITE = 512

    def __init__(self) -> None:
        # Loaded where it is used: few archives need it.
        import zstandard

        self._error = zstandard.ZstdError
        self._z = zstandard.ZstdDecompressor(max_window_size=_MEMORY // 2).decompressobj()
        self._waiting = b""

    @property
    def eof(self) -> bool:
        """Whether the end of the stream was reached."""
        return bool(self._z.eof)

    @property
    def needs_input(self) -> bool:
        """Whether nothing more comes out until something is put in."""
        return not self._waiting

    @property
    def unused_data(self) -> bytes:
        """What was put in after the stream's end."""
        return bytes(self._z.unused_data) + self._waiting

    def decompress(self, data: bytes, max_length: int, /) -> bytes:
        """Take a small part of ``data``, keep the rest, and return what comes out of it."""
        waiting = self._waiting + data
        bite, self._waiting = waiting[: self._BITE], waiting[self._BITE :]
        if not bite:
            return b""
        try:
            return self._z.decompress(bite)
        except self._error as error:
            raise ValueError(str(error)) from error


DECODERS: Mapping[str, Callable[[], Any]] = {
    "gz": lambda: Inflate(31),
    "bz2": bz2.BZ2Decompressor,
    "xz": lambda: lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=_MEMORY),
    "lzma": lambda: lzma.LZMADecompressor(lzma.FORMAT_ALONE, memlimit=_MEMORY),
    "zst": _Zstd,
    "lz": Lzip,
}
"""By the ending that dpkg-source uses."""


def expand(source: Readable, form: str, meter: Meter) -> Iterator[bytes]:
    """Yield what ``source`` holds, uncompressed; ``form`` is a key of DECODERS or ``""``.

    Concatenated streams are one; zeros after the last are padding. Raises Hostile for
    anything broken, cut short, or beyond the meter's limit.
    """
    if not form:
        while data := source.read(_OUT):
            meter.add(len(data))
            yield data
        return
    rest: bytes | None = b""
    for _ in range(_STREAMS):
        decoder: Decoder = DECODERS[form]()
        yield from _stream(decoder, source, rest or b"", form, meter)
        rest = _after(decoder.unused_data, source)
        if rest is None:
            return
    raise broken(f"is made of more than {_STREAMS} {form} streams; wanted one")


def _stream(
    decoder: Decoder, source: Readable, data: bytes, form: str, meter: Meter
) -> Iterator[bytes]:
    """Yield one stream's content."""
    while not decoder.eof:
        ended = False
        if not data and decoder.needs_input:
            data = source.read(_IN)
            ended = not data
        out = decode(decoder, data, form)
        data = b""
        meter.add(len(out))
        if out:
            yield out
        elif ended and not decoder.eof:
            raise broken(f"ends in the middle of its {form} stream: it was cut short")


def decode(decoder: Decoder, data: bytes, form: str) -> bytes:
    """Return the next piece; raise Hostile where the library says that the data is broken."""
    try:
        return decoder.decompress(data, _OUT)
    except (zlib.error, lzma.LZMAError, OSError, EOFError, ValueError, MemoryError) as error:
        raise broken(f"is damaged: its {form} data is not valid ({error})") from error


def _after(rest: bytes, source: Readable) -> bytes | None:
    """Return what follows a stream and its padding of zeros, None at the file's end."""
    while True:
        rest = rest.lstrip(b"\0")
        if rest:
            return rest
        rest = source.read(_IN)
        if not rest:
            return None
