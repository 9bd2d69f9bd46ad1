"""Refuse to package what still says that a person must say something.

`toolsync add` writes `SAY_HERE` wherever only a person knows; nothing is built, let alone
published, while it stands anywhere in the tool's packaging or definition.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from toolsync.config.packaging import SAY_HERE, packaging_files
from toolsync.model.errors import SetupError

MAX_BYTES = 1024 * 1024
"""Of a file that is read; placeholders stand in short ones."""


def check_placeholders(name: str, folder: Path, debian: Path) -> None:
    """Raise SetupError with every placeholder's place if there is one."""
    files = [folder / "tool.toml", *packaging_files(debian).values()]
    if places := [place for path in files for place in _places(path)]:
        raise SetupError(
            f"{name}: what only a person can say is not said yet: {'; '.join(places)}",
            resolution=f'Put it there in place of "{SAY_HERE} …" and run again.',
        )


def _places(path: Path) -> Iterator[str]:
    """Yield file, line and what is asked, for each placeholder of a file."""
    if not path.is_file() or path.stat().st_size > MAX_BYTES:
        return
    for number, line in enumerate(path.read_bytes().splitlines(), 1):
        _, found, asked = line.decode("utf-8", "replace").partition(SAY_HERE)
        if found:
            words = asked.strip(' ."')
            yield f"{path}:{number} ({words})"
