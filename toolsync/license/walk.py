"""Walk a hostile tree: plain files alone, nothing outside it, and no more than so many."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from toolsync.archives.member import as_text
from toolsync.license import names
from toolsync.license.found import MAX_FILES, Found


def walk(top: Path, found: Found) -> Iterator[tuple[str, Path, os.stat_result]]:
    """Yield every file by its path below ``top``, and what a link of a license's name leads to."""
    root = top.resolve()
    folders = [""]
    count = 0
    while folders:
        folder = folders.pop()
        try:
            entries = sorted(os.scandir(root / folder), key=lambda entry: entry.name)
        except OSError as error:
            found.trouble(as_text(folder), f"cannot be read: {error.strerror}")
            continue
        for entry in entries:
            below = f"{folder}/{entry.name}" if folder else entry.name
            path = as_text(below)
            count += 1
            if count > MAX_FILES:
                found.trouble("", f"has more than {MAX_FILES} files; the rest was not looked at")
                return
            if entry.is_symlink():
                place = _followed(root, Path(entry.path), path, found)
            elif entry.is_dir():
                if entry.name not in (".git", ".hg", ".svn", ".bzr"):
                    folders.append(below)
                continue
            else:
                place = Path(entry.path)
            if place is not None and _plain(place, path, found):
                yield path, place, place.stat()


def _plain(place: Path, path: str, found: Found) -> bool:
    """Say whether it is a regular file; a pipe would make the reader wait for ever."""
    if stat.S_ISREG(place.stat().st_mode):
        return True
    if names.role(names.canonical(path))[0]:
        found.trouble(path, "has a license file's name but is no plain file")
    return False


def _followed(root: Path, link: Path, path: str, found: Found) -> Path | None:
    """Return the file inside the tree that a link with a license file's name leads to, or None."""
    if not names.role(names.canonical(path))[0]:
        return None
    try:
        target = link.resolve(strict=True)
    except (OSError, RuntimeError):
        found.trouble(path, "is a link to nothing")
        return None
    if not target.is_relative_to(root):
        found.trouble(path, "is a link that leads out of the tree")
        return None
    return target if target.is_file() else None
