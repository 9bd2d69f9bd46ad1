"""Let a state's group read what the pages show of it, whoever wrote it (docs/adr/0046).

What is made now has its rights from the beginning. A run that began before an upgrade goes on by
its older rules, though: it makes files that are its own alone, and closes the store's folder. So
does a restored backup. What lacks is given soon after, again and again.
"""

from __future__ import annotations

import os
import stat
import time
from contextlib import suppress
from pathlib import Path

from toolsync.system.private import for_readers

_STORE, _DIGESTS, _CHANGES = "store", "sha256", "changes"
_QUIET = 2_000_000_000
"""Nanoseconds after which a folder's time of change tells for certain what came later."""


class Readable:
    """What the group reads of one state, and what was seen of it last."""

    def __init__(self, state: Path, journal: Path | None = None) -> None:
        """Know a state folder, and the SQLite file of its journal where it has one."""
        self._state, self._seen = state, dict[Path, int]()
        beside = ("", "-wal", "-shm")
        self._journal = [journal.with_name(journal.name + e) for e in beside] if journal else []

    def let(self) -> None:
        """Let the group read where it cannot.

        A folder's files are looked at when something was put into it since the last time; a state
        in which nothing happens costs one look at each folder. What is gone meanwhile, or is
        somebody else's, stays as it is.
        """
        if readers := for_readers(self._state):
            for path in self._journal:
                _open(path, readers & 0o040, 0o600)
            store = self._state / _STORE
            for folder in (store, store / _DIGESTS, self._state / _CHANGES):
                self._folder(folder, readers)
            for folder in _below(store / _DIGESTS):
                self._folder(folder, readers)

    def _folder(self, folder: Path, readers: int) -> None:
        with suppress(OSError):
            changed = folder.stat().st_mtime_ns
            _open(folder, readers, 0o700)
            if self._seen.get(folder) == changed:
                return
            with os.scandir(folder) as entries:
                for entry in entries:
                    if entry.is_file(follow_symlinks=False):
                        _open(Path(entry.path), readers & 0o040, 0o600)
            if abs(time.time_ns() - changed) > _QUIET:
                self._seen[folder] = changed


def _below(folder: Path) -> list[Path]:
    with suppress(OSError), os.scandir(folder) as entries:
        return [Path(entry.path) for entry in entries if entry.is_dir(follow_symlinks=False)]
    return []


def _open(path: Path, bits: int, own: int) -> None:
    """Give ``bits`` to a file or folder that is ours and lacks some of them."""
    with suppress(OSError):
        found = path.lstat()
        ours = found.st_uid == os.geteuid() and not stat.S_ISLNK(found.st_mode)
        if ours and found.st_mode & bits != bits:
            path.chmod(own | bits)
