"""A tree's difference as a page shows it: by folder, small files at once, large ones when asked."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from toolsync.archives.differ import FileChange, TreeDiff

_LINES = 400
"""Lines of one file that are shown at once."""
_TOGETHER = 3000
"""Lines of all files that are shown at once."""
_OPEN = 60
"""Lines of a tree's difference that is unfolded from the beginning."""
_SIGNS = {"+": "come", "-": "gone", "@": "place", "\\": "place"}


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """A changed file."""

    change: FileChange
    number: int
    """Its place among all that are shown."""
    parts: Sequence[tuple[str, str]]
    """Lines of one kind together: the kind, and the text; empty where they are not shown here."""
    lines: int
    """How many there are to be shown when asked for; 0 where all are here."""

    @property
    def name(self) -> str:
        """The name without its folder."""
        return self.change.path.rpartition("/")[2]


@dataclass(frozen=True, slots=True, kw_only=True)
class Folder:
    """A folder with changed files in it."""

    path: str
    files: Sequence[File]


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """A tree's difference."""

    part: str
    """``source`` or ``packaging``."""
    diff: TreeDiff
    folders: Sequence[Folder]
    unfolded: bool


def shown(part: str, diff: TreeDiff) -> Shown:
    """Return a tree's difference as it is shown."""
    files = list(_files(diff))
    folders = [
        Folder(path=path, files=list(group))
        for path, group in groupby(files, key=lambda f: f.change.path.rpartition("/")[0])
    ]
    total = diff.gone + diff.come
    return Shown(part=part, diff=diff, folders=folders, unfolded=total <= _OPEN)


def _files(diff: TreeDiff) -> Iterator[File]:
    room = _TOGETHER
    ordered = sorted(diff.changes, key=lambda c: (c.path.rpartition("/")[0], c.path))
    for number, change in enumerate(ordered):
        lines = change.hunks.count("\n") + 1 if change.hunks else 0
        here = lines <= _LINES and lines <= room and not change.left
        room -= lines if here else 0
        yield File(
            change=change,
            number=number,
            parts=tuple(parted(change.hunks)) if here else (),
            lines=0 if here else lines,
        )


def parted(hunks: str) -> Iterator[tuple[str, str]]:
    """Yield the lines of a difference, those of one kind together: the kind, and the text."""
    lines = hunks.split("\n") if hunks else []
    for kind, group in groupby(lines, key=lambda line: _SIGNS.get(line[:1], "")):
        yield kind, "\n".join(group) + "\n"
