"""Whether a disk was full: measured while a program ran, and not read in what it says."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

_LEAST = 16 * 1024 * 1024
"""Bytes: below them file systems refuse some writes before all room is used."""
_SHARE = 50
"""A small file system is full when it has less than a fiftieth of its isolation."""


class Gauge:
    """Watches the file systems on which some paths lie."""

    def __init__(self, paths: Iterable[Path]) -> None:
        self._places: dict[int, Path] = {}
        for path in paths:
            place = _there(path)
            try:
                self._places.setdefault(place.stat().st_dev, place)
            except OSError:
                continue
        self.full: Path | None = None
        """A place on the first file system that was seen to be full."""

    def look(self) -> Path | None:
        """Measure once more; return `full`."""
        if self.full is None:
            self.full = next((place for place in self._places.values() if is_full(place)), None)
        return self.full


def is_full(place: Path) -> bool:
    """Say whether the file system that holds ``place`` has no room, or no inodes, left."""
    try:
        found = os.statvfs(place)
    except OSError:
        return False
    if found.f_flag & os.ST_RDONLY or not found.f_blocks:
        return False  # nobody writes there; or it counts nothing, as /proc
    least = min(_LEAST, found.f_blocks * found.f_frsize // _SHARE)
    return found.f_bavail * found.f_frsize < least or (found.f_files > 0 and not found.f_favail)


def _there(path: Path) -> Path:
    """Return the path, or the lowest folder above it that is there."""
    return next((p for p in (path, *path.parents) if p.exists()), Path("/"))
