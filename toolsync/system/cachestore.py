"""The store of a fleet as pages see it that may only read: its cache here, and no more.

They have neither a network nor the keys of a bucket, and no way into a shared folder. What they
would show and the cache has not is noted, so that it can be asked for (docs/adr/0047).
"""

from __future__ import annotations

from pathlib import Path

from toolsync.model.values import Blob
from toolsync.system.store import Store

LARGEST = 16 * 1024 * 1024
"""Bytes of a file that a page would show; a larger one is not asked for."""


class CacheStore(Store):
    """The files that somebody else has brought into the cache under a folder."""

    def __init__(self, root: Path) -> None:
        """Know a folder; nothing of it is made."""
        super().__init__(root)
        self.lacking: set[str] = set()
        """Digests of files that were asked for, and are not here."""

    def has(self, blob: Blob) -> bool:
        """Say whether the bytes are here, at their full size."""
        found = super().has(blob)
        if not found and blob.size <= LARGEST:
            self.lacking.add(blob.sha256)
        return found
