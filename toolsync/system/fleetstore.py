"""The store of a fleet: the files lie in a shared place, and a folder here is their cache.

A file that is kept is in the shared place before its digest is returned. One that is wanted comes
from there, digested on its way; what has other bytes is refused and never seen.
"""

from __future__ import annotations

import os
import re
import tempfile
import time
from collections.abc import Collection, Iterator
from pathlib import Path
from urllib.parse import unquote, urlsplit

from toolsync.model.errors import SetupError
from toolsync.model.release import Blob
from toolsync.system.remote import Remote, SharedFolder
from toolsync.system.store import Store, digest_of, full_disk_is_told

CACHE = 20 * 1024**3
"""Bytes of the cache, where nothing is set."""
_YOUNG = 24 * 3600
"""Seconds in which a file that was kept must be named by the journal, or may be removed."""
_DIGEST = re.compile(r"[0-9a-f]{64}")


def open_store(folder: Path, url: str = "", endpoint: str = "", cache: int = 0) -> Store:
    """Return the store of a folder, or the one at ``url`` with its cache in that folder.

    ``url`` is ``s3://BUCKET[/PREFIX]``, or ``file:///FOLDER`` for one that all machines share.
    """
    if not url:
        return Store(folder)
    parts = urlsplit(url)
    if parts.scheme == "file" and not parts.netloc:
        return FleetStore(folder, SharedFolder(Path(unquote(parts.path))), cache or CACHE)
    if parts.scheme == "s3" and parts.netloc:
        from toolsync.system.bucket import Bucket

        prefix = parts.path.strip("/")
        bucket = Bucket(parts.netloc, f"{prefix}/" if prefix else "", endpoint)
        return FleetStore(folder, bucket, cache or CACHE)
    raise SetupError(
        f"[store] url is {url!r}, wanted s3://BUCKET/PREFIX or file:///FOLDER",
        resolution="Mend it in toolsync.toml.",
    )


class FleetStore(Store):
    """Content-addressed files in a shared place, with a cache of so many bytes here."""

    def __init__(self, root: Path, remote: Remote, cache: int) -> None:
        super().__init__(root)
        self._remote, self._cache = remote, cache

    def require(self, blob: Blob) -> None:
        """Raise Damaged unless a blob's bytes are here, or can be had, and have its digest."""
        if not self.where(blob).exists():
            self._bring(blob)
        super().require(blob)

    def digest_again(self, blob: Blob) -> None:
        """Digest what the shared place has now; the copy here is replaced by it."""
        self._forget(blob.sha256)
        self.require(blob)

    def put_aside(self, digest: str) -> None:
        """Move a damaged file to where nothing uses it, and remove it from the shared place."""
        super().put_aside(digest)
        self._remote.drop(digest)

    def has(self, blob: Blob) -> bool:
        """Say whether the bytes are here or in the shared place, at their full size."""
        return super().has(blob) or self._remote.size(blob.sha256) == blob.size

    def files(self) -> Iterator[tuple[str, int]]:
        """Yield digest and size in bytes of every file that is kept."""
        for digest, size in self._remote.files():
            if _DIGEST.fullmatch(digest):  # others may write there
                yield digest, size

    def settled(self, digests: Collection[str]) -> Collection[str]:
        """Return those that have been there for a day: others may be working on younger ones."""
        before = time.time() - _YOUNG
        return [d for d in digests if (at := self._remote.modified(d)) is not None and at < before]

    def drop(self, digest: str) -> None:
        """Remove a file everywhere; one that is gone already is no error."""
        self._remote.drop(digest)
        super().drop(digest)

    def sweep(self) -> None:
        """Remove what a killed run has left, and what was not used for longest beyond the cache.

        No path that was given away may be in use.
        """
        super().sweep()
        found = []
        for path in (self._root / "sha256").glob("??/*"):
            state = path.stat()
            found.append((max(state.st_atime, state.st_mtime), state.st_size, path))
        room = self._cache
        for _, size, path in sorted(found, reverse=True):
            room -= size
            if room < 0:
                path.unlink(missing_ok=True)

    def _copy(self, blob: Blob, target: Path) -> None:
        if not self.where(blob).exists():
            self._bring(blob)
        super()._copy(blob, target)

    def _settle(self, temp: Path, digest: str) -> None:
        super()._settle(temp, digest)
        self._remote.put(digest, self._at(digest))

    def _forget(self, digest: str) -> None:
        """Drop the copy here where the shared place has the file; else it is all that is left."""
        if self._remote.size(digest) is not None:
            self._at(digest).unlink(missing_ok=True)
            self._whole.pop(digest, None)

    def _bring(self, blob: Blob) -> None:
        """Fetch a file into the cache; raises Damaged where it is gone, or another one."""
        folder = self.scratch()
        with full_disk_is_told(folder):
            fd, name = tempfile.mkstemp(dir=folder)
            temp = Path(name)
            try:
                with os.fdopen(fd, "wb") as handle:
                    there = self._remote.get(blob.sha256, handle, blob.size + 1)
                    handle.flush()
                    os.fsync(handle.fileno())
                if not there:
                    raise self._damaged(blob, "is gone")
                digest, size = digest_of(temp)
                if digest != blob.sha256:
                    raise self._damaged(blob, f"came with other bytes (sha256 {digest}, {size})")
                super()._settle(temp, digest)
            finally:
                temp.unlink(missing_ok=True)
