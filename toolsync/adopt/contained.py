"""Refuse packaging of others whose debian/ leads out of it, or holds what is no file.

Links in a tool's debian/ are followed when its source package is made (`package.stage`), since an
operator may share files among tools. In packaging that somebody else wrote such a link would put a
file of this machine, a secret key even, into what is published.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from toolsync.model.errors import Hostile


def require_contained(tree: Path) -> None:
    """Raise Hostile for a link in ``tree``'s debian/ that leads out of ``tree``, and for a device.

    A link into the release beside debian/ may be there, whether the release is or not.
    """
    root = tree.resolve()
    for path in _entries(tree / "debian"):
        mode = path.lstat().st_mode
        if stat.S_ISLNK(mode) and not _stays(path, tree, root):
            raise Hostile(
                f"{path.relative_to(tree)} is a link to {path.readlink()}, outside of the"
                " packaging: what is there on this machine would be published",
                resolution="Adopt a copy in which the file itself lies there, or from which the"
                " link was removed.",
            )
        if not (stat.S_ISLNK(mode) or stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
            raise Hostile(
                f"{path.relative_to(tree)} is neither a file nor a folder nor a link",
                resolution="Adopt a copy from which it was removed.",
            )


def _entries(debian: Path) -> Iterator[Path]:
    """Yield ``debian`` and all that is below it; no link is followed."""
    yield debian
    for folder, folders, files in os.walk(debian) if not debian.is_symlink() else ():
        yield from (Path(folder) / name for name in (*folders, *files))


def _stays(link: Path, tree: Path, root: Path) -> bool:
    """Say whether a link stays in the tree: by its words, and by where it leads here.

    Both are wanted, since debian/ is copied to where other links lie beside it, or none.
    """
    target = link.readlink()
    named = os.path.normpath(link.parent.relative_to(tree) / target)
    if target.is_absolute() or named == ".." or named.startswith("../"):
        return False
    try:
        return link.resolve().is_relative_to(root)
    except (OSError, RuntimeError):  # links in a ring: they lead nowhere
        return True
