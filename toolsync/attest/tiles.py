"""The log as files that any web server can serve: tiles of hashes and bundles of entries.

The form is that of C2SP tlog-tiles: ``tile/LEVEL/NNN`` has up to 256 hashes, each of them over a
full tile of the level below; ``tile/entries/NNN`` has the entries, each after its length.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from toolsync.attest.merkle import leaf_hash, root_of
from toolsync.model.errors import Unverified

WIDTH = 256
LONGEST = 0xFFFF
"""Bytes of an entry."""
Get = Callable[[str, int], bytes]
"""Returns a file of the log by its name below it, of at most so many bytes; raises if it cannot."""


def tiles(entries: Sequence[bytes]) -> Iterator[tuple[str, bytes]]:
    """Yield names and contents of all files of a log with these entries, hashes last."""
    for name, start, end in _spans("entries", len(entries)):
        parts = entries[start:end]
        yield name, b"".join(map(framed, parts))
    level, hashes = 0, [leaf_hash(entry) for entry in entries]
    while hashes:
        for name, start, end in _spans(str(level), len(hashes)):
            yield name, b"".join(hashes[start:end])
        full = len(hashes) // WIDTH
        hashes = [root_of(hashes[n * WIDTH : (n + 1) * WIDTH]) for n in range(full)]
        level += 1


def read_entries(get: Get, size: int) -> list[bytes]:
    """Return the first ``size`` entries of a log; raises Unverified where a bundle is none."""
    found: list[bytes] = []
    for name, start, end in _spans("entries", size):
        data = get(name, (LONGEST + 2) * (end - start))
        parts = list(_parts(data))
        if len(parts) != end - start or b"".join(map(framed, parts)) != data:
            raise Unverified(f"{name} does not hold {end - start} whole entries")
        found += parts
    return found


def read_hashes(get: Get, size: int) -> list[bytes]:
    """Return the hashes of the first ``size`` leaves; raises Unverified where a tile is none."""
    found: list[bytes] = []
    for name, start, end in _spans("0", size):
        data = get(name, 32 * WIDTH)
        if len(data) != 32 * (end - start):
            raise Unverified(f"{name} has {len(data)} bytes, wanted {32 * (end - start)}")
        found += [data[n : n + 32] for n in range(0, len(data), 32)]
    return found


def framed(entry: bytes) -> bytes:
    """Return an entry as it stands in a bundle."""
    return len(entry).to_bytes(2, "big") + entry


def _parts(data: bytes) -> Iterator[bytes]:
    place = 0
    while place + 2 <= len(data):
        length = int.from_bytes(data[place : place + 2], "big")
        yield data[place + 2 : place + 2 + length]
        place += 2 + length


def _spans(level: str, count: int) -> Iterator[tuple[str, int, int]]:
    """Yield name, first and end of each tile of a level with ``count`` items."""
    for number, start in enumerate(range(0, count, WIDTH)):
        end = min(count, start + WIDTH)
        digits = f"{number:0{(len(str(number)) + 2) // 3 * 3}d}"
        groups = [digits[n : n + 3] for n in range(0, len(digits), 3)]
        path = "/".join([*(f"x{group}" for group in groups[:-1]), groups[-1]])
        part = f".p/{end - start}" if end - start < WIDTH else ""
        yield f"tile/{level}/{path}{part}", start, end
