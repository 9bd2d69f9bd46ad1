"""Find what a tarball holds twice with the same content: it is one member, whoever reads it."""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from toolsync.archives.extract import archive_form, guard_for, read_members
from toolsync.archives.member import Kind, Member
from toolsync.config.settings import Limits

_PIECE = 256 * 1024


def without_doubles(archive: Path, limits: Limits, members: Sequence[Member]) -> list[Member]:
    """Return the members, of those that are alike in all but their time the first alone.

    Where a file is there twice, the archive is read once more, for the contents; members that
    differ stay, and are judged with the tree. Raises Hostile as `read_members` does.
    """
    count = Counter(member.path for member in members if member.kind is not Kind.FOLDER)
    twice = frozenset(path for path, number in count.items() if number > 1)
    if not twice:
        return list(members)
    contents = _contents(archive, limits, twice)
    first: dict[str, Member] = {}
    kept = []
    for member in members:
        before = first.setdefault(member.path, member) if member.path in twice else member
        alike = replace(before, mtime=member.mtime) == member and not member.fault
        if before is member or not alike or len(contents[member.path]) > 1:
            kept.append(member)
    return kept


def _contents(archive: Path, limits: Limits, paths: frozenset[str]) -> dict[str, set[bytes]]:
    """Return the digests of the files at these paths."""
    found: dict[str, set[bytes]] = defaultdict(set)
    seen = guard_for(archive_form(archive), limits, forgiving=True)
    for member in read_members(archive, limits, seen):
        if member.path in paths and member.kind is Kind.FILE:
            digest = hashlib.sha256()
            while data := member.data.read(_PIECE):
                digest.update(data)
            found[member.path].add(digest.digest())
    return found
