"""Say whether two archives unpack to the same tree, whatever their bytes are.

A tree is names, kinds, contents, whether a file can be executed, and where links lead: all that
a build can see, but for times. The one folder that holds all may have another name, since
dpkg-source drops it (dpkg-source(1), format 3.0). Both are read as hostile.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

from toolsync.archives.extract import archive_form, guard_for, read_members
from toolsync.archives.member import Kind, Member, shown
from toolsync.config.settings import Limits

_PIECE = 256 * 1024
_FOLDER = "a folder"


def difference(one: Path, other: Path, limits: Limits) -> str:
    """Return in a phrase how one archive differs from another, empty where they hold the same tree.

    Raises Hostile for what cannot be read, or should not be.
    """
    ours, theirs = _tree(one, limits), _tree(other, limits)
    for path in sorted(ours.keys() | theirs.keys()):
        here, there = ours.get(path), theirs.get(path)
        if here != there:
            return (
                f"{shown(path)} is {here or 'not there'}, and in the other {there or 'not there'}"
            )
    return ""


def more_than(whole: Path, part: Path, limits: Limits) -> tuple[str, tuple[str, ...]]:
    """Return how ``part`` is not wholly in ``whole``, in a phrase, and what ``whole`` has besides.

    The phrase is empty where everything in ``part`` is the same in ``whole``; the second are paths
    below the top folder, without folders. Raises Hostile as `difference`.
    """
    ours, theirs = _tree(whole, limits), _tree(part, limits)
    for path, there in sorted(theirs.items()):
        here = ours.get(path)
        if path and here != there:
            return f"{shown(path)} is {here or 'not there'}, and in the other {there}", ()
    found = sorted(p for p, what in ours.items() if p not in theirs and what != _FOLDER)
    return "", tuple(found)


def _tree(archive: Path, limits: Limits) -> dict[str, str]:
    """Return what is at each path below the top folder, in a phrase."""
    guard = guard_for(archive_form(archive), limits)
    found: dict[str, str] = {}
    for member in read_members(archive, limits, guard):
        for folder in _above(member.path):
            if folder in found:
                break  # and so are those above it
            found[folder] = _FOLDER
        found[member.path] = _what(member, found)
    top = guard.top
    if not top:
        return found | {"": "no folder of its own"}
    return {
        path[len(top) + 1 :]: what
        for path, what in found.items()
        if path == top or path.startswith(f"{top}/")
    }


def _what(member: Member, found: dict[str, str]) -> str:
    if member.kind is Kind.FOLDER:
        return _FOLDER
    if member.kind is Kind.SYMLINK:
        return f"a link to {shown(member.target)}"
    if member.kind is Kind.HARDLINK:
        return found[member.target]
    total = hashlib.sha256()
    while data := member.data.read(_PIECE):
        total.update(data)
    bits = ("executable ", "setuid or setgid ")
    kind = "".join(b for b, on in zip(bits, (member.executable, member.special), strict=True) if on)
    return f"{'an' if kind[:1] == 'e' else 'a'} {kind}file of sha256 {total.hexdigest()}"


def _above(path: str) -> Iterator[str]:
    """Yield the folders above a path, nearest first."""
    while path := path.rpartition("/")[0]:
        yield path
