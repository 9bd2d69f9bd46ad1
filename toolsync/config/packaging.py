"""The files of a tool's debian/ that go into its source package, links followed."""

from __future__ import annotations

import os
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath

from toolsync.model.errors import SetupError

NOT_PACKAGING = ("watch", "changelog", "*~", ".*")
"""What in a tool's debian/ is not part of the source package: toolsync writes the changelog."""
_DEEPEST = 40
"""Folders in folders; a link to a folder above it would go on for ever."""

SAY_HERE = "SAY HERE:"
"""What stands wherever only a person knows; nothing is packaged while it does."""


def packaging_files(debian: Path) -> dict[str, Path]:
    """Return the files below ``debian`` by their paths in it, sorted; what links lead to counts.

    A link to nothing is among them. Raises SetupError for what is neither file, folder nor link,
    and for folders without end.
    """
    found = _below(debian, "")
    return dict(sorted(found, key=lambda item: PurePosixPath(item[0])))


def _below(folder: Path, above: str) -> Iterator[tuple[str, Path]]:
    if above.count("/") > _DEEPEST:
        raise SetupError(
            f"{folder} lies deeper than {_DEEPEST} folders: a link there leads to one above it",
            resolution="Remove that link, or let it lead to the files that are meant.",
        )
    for name in os.listdir(folder):  # noqa: PTH208 (names are wanted)
        path = folder / name
        if any(fnmatchcase(name, pattern) for pattern in NOT_PACKAGING):
            continue
        if path.is_dir():
            yield from _below(path, f"{above}{name}/")
        elif path.is_file() or (path.is_symlink() and not path.exists()):
            yield f"{above}{name}", path
        else:
            raise SetupError(
                f"{path} is neither a file nor a folder, and cannot be part of a source package",
                resolution="Remove it.",
            )


def require_plain(path: Path) -> Path:
    """Return a path that is to be read; raise SetupError for a pipe or device: it has no end.

    What is not there is for whoever reads it to tell.
    """
    if path.exists() and not path.is_file():
        raise SetupError(
            f"{path} is no plain file: what is read of a pipe or device has no end",
            resolution="Put the file itself in its place, or remove it.",
        )
    return path
