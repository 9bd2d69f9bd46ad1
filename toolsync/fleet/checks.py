"""What is asked of every name, digest and size that comes by the broker."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TypeVar

from toolsync.model.errors import Hostile
from toolsync.model.values import Blob, load

T = TypeVar("T")

MOST_FILES = 500
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9+.~_-]{0,199}")
"""A file's name as dpkg writes it (Debian Policy 5.6.1, 5.6.12), and a series'."""
_DIGEST = re.compile(r"[0-9a-f]{64}")
_MOST = 64 * 1024**3
"""Bytes of one file, and of all in one answer together."""


def read_value(cls: type[T], data: object, what: str) -> T:
    """Return a value of the model that came by the broker; raises Hostile where it is none."""
    if not isinstance(data, Mapping):
        raise Hostile(f"{what} that is no table")
    try:
        return load(cls, data)
    except (TypeError, ValueError, KeyError, RecursionError) as error:
        raise Hostile(f"{what} that cannot be read: {str(error)[:500]}") from error


def require_files(files: tuple[Blob, ...]) -> None:
    """Raise Hostile unless names, digests, sizes and the count of files can be true."""
    if len(files) > MOST_FILES or len({blob.name for blob in files}) != len(files):
        raise Hostile(f"{len(files)} files, or one named twice; at most {MOST_FILES}")
    for blob in files:
        require_blob(blob)
    if (size := sum(blob.size for blob in files)) > _MOST:
        raise Hostile(f"{len(files)} files of {size:,} bytes together; at most {_MOST:,}")


def require_blob(blob: Blob, most: int = _MOST) -> None:
    """Raise Hostile unless a file's name, digest and size can be true."""
    require_names(blob.name)
    if not _DIGEST.fullmatch(blob.sha256) or not 0 <= blob.size <= most:
        raise Hostile(f"{blob.name} as {blob.sha256[:70]!r} of {blob.size} bytes")


def require_names(*names: str) -> None:
    """Raise Hostile where a name has a character that none has, or is too long."""
    for name in names:
        if not _NAME.fullmatch(name):
            raise Hostile(f"the name {name[:70]!r}, which no file, series or package has")


def read_log(data: object, most: int = 512 * 1024 * 1024) -> Blob | None:
    """Return the log that a failure names, None where it names none that can be."""
    try:
        log = read_value(Blob, data, "a log")
        require_blob(log, most)
    except Hostile:
        return None
    return log
