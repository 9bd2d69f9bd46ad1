"""A file of what could be computed anew: believed where it is whole, and by the same rules.

Its first line is a key and a digest over the rest. Whatever is wrong with it makes it as if there
were none; it may be removed at any time.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from toolsync.model.errors import ToolsyncError
from toolsync.system.store import replace_file


def read_cache(file: Path, key: str) -> bytes:
    """Return what was written there with the same key, nothing where it is not whole."""
    try:
        head, _, data = file.read_bytes().partition(b"\n")
    except OSError:
        return b""
    return data if head + b"\n" == _head(key, data) else b""


def write_cache(file: Path, key: str, data: bytes) -> None:
    """Write it whole; it need not succeed."""
    try:
        replace_file(file, _head(key, data) + data, 0o600, durable=False)
    except (ToolsyncError, OSError):
        return  # no room, or no right to write there: it is computed anew the next time


def _head(key: str, data: bytes) -> bytes:
    return f"{key} {hashlib.sha256(data).hexdigest()}\n".encode()
