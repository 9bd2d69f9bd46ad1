"""Exact reading from a stream of pieces: blocks for a format's reader, contents for its user."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from toolsync.archives.member import broken, shown

_PIECE = 256 * 1024


class Pieces:
    """Reads exactly as many bytes as asked from an iterator of pieces."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces, self._held, self._at = pieces, b"", 0

    def some(self, most: int) -> bytes:
        """Return 1 to ``most`` bytes, b"" only at the end."""
        while self._at == len(self._held):
            piece = next(self._pieces, None)
            if piece is None:
                return b""
            self._held, self._at = piece, 0
        data = self._held[self._at : self._at + most]
        self._at += len(data)
        return data

    def exactly(self, size: int) -> bytes:
        """Return ``size`` bytes, fewer only at the end. Ask only for what may stand in memory."""
        data = self.some(size)
        if len(data) == size or not data:
            return data
        parts, missing = [data], size - len(data)
        while missing and (data := self.some(missing)):
            parts.append(data)
            missing -= len(data)
        return b"".join(parts)


class Body:
    """One member's content: so many bytes of a stream."""

    def __init__(self, some: Callable[[int], bytes], size: int, name: str | bytes) -> None:
        self._some, self._left, self._name = some, size, name

    def read(self, size: int = -1, /) -> bytes:
        """Return up to ``size`` bytes, all that is left when it is negative."""
        if size < 0:
            return b"".join(iter(lambda: self.read(_PIECE), b""))
        if not self._left or not size:
            return b""
        data = self._some(min(size, self._left))
        if not data:
            raise broken(f"ends in the middle of {shown(self._name)}: it was cut short")
        self._left -= len(data)
        return data

    def skip(self) -> None:
        """Read to the end."""
        while self.read(_PIECE):
            pass
