"""Where the files of a fleet's store lie: a folder that all machines share, or a bucket.

A remote place knows files by their sha256 and nothing else. It believes nobody: whoever brings a
file from it digests what came.
"""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Protocol

from toolsync.model.errors import SetupError, TryAgain
from toolsync.system.private import private_folder
from toolsync.system.store import full_disk_is_told, sync_folder


class Remote(Protocol):
    """A place for files by digest; raises TryAgain while it cannot be reached."""

    def put(self, digest: str, path: Path) -> None:
        """Keep a file, whole or not at all; one that is there already stays as it is."""

    def get(self, digest: str, out: BinaryIO, limit: int) -> bool:
        """Write a file's bytes to ``out``, at most ``limit`` of them; say whether it is there."""

    def size(self, digest: str) -> int | None:
        """Return a file's size in bytes, None where it is not there."""

    def modified(self, digest: str) -> float | None:
        """Return when a file was put there, in seconds since 1970; None where it is not there."""

    def files(self) -> Iterator[tuple[str, int]]:
        """Yield digest and size in bytes of every file."""

    def drop(self, digest: str) -> None:
        """Remove a file; one that is gone already is no error."""


class SharedFolder:
    """A folder that every machine of the fleet mounts; its owner alone may enter it."""

    def __init__(self, root: Path) -> None:
        if not root.is_dir():
            raise SetupError(
                f"the shared store {root} is no folder",
                resolution="Mount it, or make it: a store that is made anew by accident is empty.",
            )
        self._root = root

    def put(self, digest: str, path: Path) -> None:
        """Keep a file; see `Remote.put`."""
        size = path.stat().st_size
        if self.size(digest) == size:
            return
        final = self._at(digest)
        with full_disk_is_told(self._root), _passing(self._root):
            folder = private_folder(private_folder(self._root / "sha256") / digest[:2])
            fd, temp = tempfile.mkstemp(dir=folder, prefix=".")
            try:
                with os.fdopen(fd, "wb") as out, path.open("rb") as source:
                    shutil.copyfileobj(source, out, 1024 * 1024)
                    out.flush()
                    os.fsync(out.fileno())
                os.replace(temp, final)
            except BaseException:
                Path(temp).unlink(missing_ok=True)
                raise
            sync_folder(folder)

    def get(self, digest: str, out: BinaryIO, limit: int) -> bool:
        """Write a file's bytes; see `Remote.get`."""
        with _passing(self._root):
            try:
                with self._at(digest).open("rb") as source:
                    while limit > 0 and (chunk := source.read(min(limit, 1024 * 1024))):
                        out.write(chunk)
                        limit -= len(chunk)
            except FileNotFoundError:
                return False
        return True

    def size(self, digest: str) -> int | None:
        """Return a file's size in bytes, None where it is not there."""
        with _passing(self._root):
            try:
                return self._at(digest).stat().st_size
            except FileNotFoundError:
                return None

    def modified(self, digest: str) -> float | None:
        """Return when a file was put there; see `Remote.modified`."""
        with _passing(self._root):
            try:
                return self._at(digest).stat().st_mtime
            except FileNotFoundError:
                return None

    def files(self) -> Iterator[tuple[str, int]]:
        """Yield digest and size in bytes of every file."""
        for path in (self._root / "sha256").glob("??/" + "?" * 64):
            yield path.name, path.stat().st_size

    def drop(self, digest: str) -> None:
        """Remove a file; one that is gone already is no error."""
        self._at(digest).unlink(missing_ok=True)

    def _at(self, digest: str) -> Path:
        return self._root / "sha256" / digest[:2] / digest


class _passing:  # noqa: N801 (a block's word)
    """For the block, tell of a file system that is away as of something that passes."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def __enter__(self) -> None:
        """Begin the block."""

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        """End the block."""
        away = (errno.EIO, errno.ESTALE, errno.ETIMEDOUT, errno.EHOSTDOWN, errno.ENOTCONN)
        if isinstance(error, OSError) and error.errno in away:
            raise TryAgain(
                f"the shared store {self._root} cannot be reached: {error.strerror}",
                resolution="See that it is mounted and its server answers; run again.",
            ) from error
