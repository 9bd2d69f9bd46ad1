"""The difference between two trees, file by file, as a person reviews it.

Both are read as hostile. Names never reach a program: what is compared line by line lies under
numbers. What is too large, or no text, is told by its size; every bound is told where it was met.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from toolsync.archives.entries import Entry, Tree, contents
from toolsync.archives.member import as_text
from toolsync.config.settings import Limits
from toolsync.system.isolation import Isolation
from toolsync.system.run import run

CHANGED, ADDED, REMOVED, MOVED = "changed", "added", "removed", "moved"
MOST_FILES = 4000
"""Changed files that are listed; others are counted."""
_LARGEST = 2 * 1024 * 1024
"""Bytes of a file that is compared line by line."""
_TOGETHER = 96 * 1024 * 1024
"""Bytes of all such files of one tree."""
_SNIFFED = 8192
_LONGEST = 1000
"""Characters of a line."""
_OF_ONE, _OF_ALL = 1024 * 1024, 12 * 1024 * 1024
"""Characters of the difference of one file, and of all together."""
_OUTPUT = 512 * 1024 * 1024
_ISOLATION = Isolation(memory=1024 * 1024 * 1024, processes=8, file=_OUTPUT)
_OLD, _NEW = "old", "new"


@dataclass(frozen=True, slots=True, kw_only=True)
class FileChange:
    """One file that is not as it was."""

    path: str
    how: str
    """``changed``, ``added``, ``removed`` or ``moved``."""
    note: str = ""
    """What lines do not tell, in a phrase: where it was before, that it is no text …"""
    before: int = 0
    """Bytes, 0 for what was not there."""
    after: int = 0
    gone: int = 0
    """Lines."""
    come: int = 0
    hunks: str = ""
    """The lines as ``diff -u`` has them, without the names; empty where there are none."""
    left: int = 0
    """Lines of it that are not in ``hunks``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TreeDiff:
    """All of it."""

    changes: tuple[FileChange, ...] = ()
    """By path."""
    same: int = 0
    """Files that are as they were."""
    unlisted: int = 0
    """Changed files beyond those that are listed."""
    told: str = ""
    """Why there is nothing to show, or what was compared with what."""

    @property
    def gone(self) -> int:
        """Lines that are no longer there."""
        return sum(change.gone for change in self.changes)

    @property
    def come(self) -> int:
        """Lines that are new."""
        return sum(change.come for change in self.changes)


def listed(was: Tree, now: Tree, folder: Path, limits: Limits) -> TreeDiff:
    """Return which files differ, and put those to be compared line by line into ``folder``.

    Raises Hostile for an archive that cannot be read, or should not be.
    """
    folder.mkdir(exist_ok=True)
    same = sum(now.found.get(path) == entry for path, entry in was.found.items())
    found = sorted(_changes(was.found, now.found), key=lambda change: change.path)
    changes = found[:MOST_FILES]
    for side, tree in ((_OLD, was), (_NEW, now)):
        (folder / side).mkdir()
        wanted = _to_compare(changes, tree.found)
        for path, data in contents(tree, wanted.keys(), limits):
            (folder / side / str(wanted[path])).write_bytes(data)
    changes = [_noted(change, number, folder) for number, change in enumerate(changes)]
    readable = [replace(change, path=as_text(change.path)) for change in changes]
    return TreeDiff(changes=tuple(readable), same=same, unlisted=len(found) - len(changes))


def with_lines(diff: TreeDiff, folder: Path, *, seconds: float) -> TreeDiff:
    """Return the same with the lines that differ of what `listed` has put into ``folder``."""
    log = folder / "log"
    run(
        *("diff", "-u", "-r", "-N", "-a", "--speed-large-files", _OLD, _NEW),
        timeout=seconds,
        cwd=folder,
        log=log,
        limit=_OUTPUT,
        ok=(0, 1),
        isolation=_ISOLATION,
    )
    changes, room = list(diff.changes), _OF_ALL
    for number, lines in _files_of(log):
        found = _with_lines(changes[number], lines, min(room, _OF_ONE))
        room -= len(found.hunks)
        changes[number] = found
    return replace(diff, changes=tuple(changes))


def _changes(was: Mapping[str, Entry], now: Mapping[str, Entry]) -> Iterator[FileChange]:
    """Yield what changed; a file that is gone and one that came with its bytes are one move."""
    gone: dict[str, list[str]] = {}
    for path in sorted(was.keys() - now.keys()):
        gone.setdefault(was[path].digest, []).append(path)
    for path in sorted(now.keys() - was.keys()):
        entry = now[path]
        if entry.size and (before := gone.get(entry.digest)):
            yield _change(path, MOVED, entry, entry, f"was {as_text(before.pop(0))}")
        else:
            yield _change(path, ADDED, None, entry)
    for before in gone.values():
        for path in before:
            yield _change(path, REMOVED, was[path], None)
    for path in was.keys() & now.keys():
        if was[path] != now[path]:
            yield _change(path, CHANGED, was[path], now[path])


def _change(
    path: str, how: str, old: Entry | None, new: Entry | None, note: str = ""
) -> FileChange:
    parts = [note]
    for entry, word in ((old, "was "), (new, "")):
        if entry is not None and entry.target:
            parts.append(f"{word}a link to {as_text(entry.target)}")
    if old is not None and new is not None and old.executable != new.executable:
        parts.append("can be executed now" if new.executable else "can be executed no longer")
    elif old is None and new is not None and new.executable:
        parts.append("can be executed")
    return FileChange(
        path=path,
        how=how,
        note=", ".join(filter(None, parts)),
        before=old.size if old else 0,
        after=new.size if new else 0,
    )


def _to_compare(changes: Sequence[FileChange], tree: Mapping[str, Entry]) -> dict[str, int]:
    """Return the paths of a tree's files that are compared line by line, each with its number."""
    found, room = {}, _TOGETHER
    for number, change in enumerate(changes):
        entry, size = tree.get(change.path), max(change.before, change.after)
        if change.how == MOVED or entry is None or not entry.digest or size > _LARGEST:
            continue
        room -= size  # of the larger one, so that both trees come to the same files
        if room >= 0:
            found[change.path] = number
    return found


def _noted(change: FileChange, number: int, folder: Path) -> FileChange:
    """Return a change that says why its lines are not shown; take what is no text away."""
    here = [path for side in (_OLD, _NEW) if (path := folder / side / str(number)).exists()]
    note = ""
    if any(b"\0" in _head(path) for path in here):
        note = "no text"
        for path in here:
            path.unlink()
    elif not here and change.how != MOVED and max(change.before, change.after):
        large = max(change.before, change.after) > _LARGEST
        note = "too large to be shown by lines" if large else "not shown by lines"
    return replace(change, note=", ".join(filter(None, (change.note, note))))


def _head(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(_SNIFFED)


def _files_of(log: Path) -> Iterator[tuple[int, Iterator[str]]]:
    """Yield the number of each file of which diff tells, and its lines without the names."""
    number, lines = -1, list[str]()
    with log.open("rb") as file:
        for raw in file:
            # A line of a file has a sign before it, so nothing in one can look like this.
            if raw.startswith(b"diff "):
                if number >= 0:
                    yield number, iter(lines)
                number, lines = int(raw.rstrip().rpartition(b"/")[2]), []
            elif lines or raw.startswith(b"@@"):  # what stands before the first are the names
                lines.append(_line(raw))
    if number >= 0:
        yield number, iter(lines)


def _line(raw: bytes) -> str:
    text = raw.decode("utf-8", "replace").rstrip("\n")
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}… {len(text) - _LONGEST} more"


def _with_lines(change: FileChange, lines: Iterator[str], room: int) -> FileChange:
    kept, size, left, gone, come = list[str](), 0, 0, 0, 0
    for line in lines:
        gone += line.startswith("-")
        come += line.startswith("+")
        size += len(line) + 1
        if size > room:
            left += 1
        else:
            kept.append(line)
    return replace(change, gone=gone, come=come, hunks="\n".join(kept), left=left)
