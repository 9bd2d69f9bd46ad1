"""Name the first thing in which two builds of a .deb differ: a member, and a line of it.

What is compared is what dpkg-deb(1) gives of them, member by member in their order: name, kind,
mode, owner, time, where it leads, content. Both come from a build, and so from strangers: they are
read in a process that is ended when it has had enough.
"""

from __future__ import annotations

import tarfile
from collections.abc import Iterator
from functools import partial
from itertools import zip_longest
from pathlib import Path
from typing import IO

from toolsync.model.errors import ToolsyncError
from toolsync.system.confined import confined
from toolsync.system.run import run
from toolsync.system.store import digest_of

_PARTS = {"data.tar": "--fsys-tarfile", "control.tar": "--ctrl-tarfile"}
"""In the order in which they are compared: the second one has digests of the first."""
_PIECE = 256 * 1024
_TEXT = 1024 * 1024
"""Bytes of a member up to which a line of it is told."""
_WIDTH = 100
"""Characters of a line that are shown."""
_SECONDS, _MEMORY = 600, 512 * 1024 * 1024
_LIMIT = 8 * 1024 * 1024 * 1024
"""Bytes of a tar that are compared."""


def first_difference(one: Path, other: Path, folder: Path) -> str:
    """Return in a phrase how a .deb differs from that of the second build, empty if it does not.

    ``folder`` is one to work in.
    """
    if digest_of(one) == digest_of(other):
        return ""
    try:
        for part, option in _PARTS.items():
            tars = [folder / f"{part}.{number}" for number in (1, 2)]
            for deb, tar in zip((one, other), tars, strict=True):
                tar.unlink(missing_ok=True)
                run("dpkg-deb", option, deb, timeout=_SECONDS, log=tar, limit=_LIMIT)
            what = f"the comparison of {one.name}"
            work = partial(_compared, *tars)
            how = confined(work, what=what, seconds=_SECONDS, memory=_MEMORY)
            for tar in tars:
                tar.unlink()
            if how:
                return f"{part}: {how}"
    except ToolsyncError as error:
        return f"its bytes, and it cannot be told where: {error}"
    return "the same members, packed in another way"


def _compared(one: Path, other: Path) -> str:
    """Return how the first members that are not the same differ."""
    try:
        with tarfile.open(one, "r:") as ours, tarfile.open(other, "r:") as theirs:
            for here, there in zip_longest(ours, theirs):
                if here is None or there is None:
                    which = "second" if here is None else "first"
                    return f"{_quoted((here or there).name)} is in the {which} build alone"
                if how := _differs(ours, here, theirs, there):
                    return how
    except (tarfile.TarError, OSError, ValueError) as error:
        return f"cannot be read: {error}"
    return ""


def _differs(
    ours: tarfile.TarFile, here: tarfile.TarInfo, theirs: tarfile.TarFile, there: tarfile.TarInfo
) -> str:
    if here.name != there.name:
        return f"{_quoted(here.name)} stands where the second build has {_quoted(there.name)}"
    name = _quoted(here.name)
    for (what, mine), (_, other) in zip(_facts(here), _facts(there), strict=True):
        if mine != other:
            return f"{name} has the {what} {mine}, in the second build {other}"
    if not here.isreg():
        return ""
    with _content(ours, here) as mine_, _content(theirs, there) as others:
        how = _contents_differ(mine_, others, max(here.size, there.size))
    return f"{name} {how}" if how else ""


def _facts(member: tarfile.TarInfo) -> Iterator[tuple[str, str]]:
    yield "kind", member.type.decode("ascii", "backslashreplace")
    yield "mode", f"{member.mode:04o}"
    yield "owner", f"{member.uid}:{member.gid} ({_quoted(f'{member.uname}:{member.gname}')})"
    yield "time", f"{member.mtime} s"
    yield "target", _quoted(member.linkname)


def _content(archive: tarfile.TarFile, member: tarfile.TarInfo) -> IO[bytes]:
    found = archive.extractfile(member)
    assert found is not None  # it is a regular file
    return found


def _contents_differ(one: IO[bytes], other: IO[bytes], size: int) -> str:
    """Return how two contents differ: in a line where they are text, else at a byte."""
    if size <= _TEXT:
        return _lines_differ(one.read(), other.read())
    place = 0
    while True:
        mine, others = one.read(_PIECE), other.read(_PIECE)
        if mine != others:
            return f"differs at byte {place + _place(mine, others)}"
        if not mine:
            return ""
        place += len(mine)


def _lines_differ(mine: bytes, others: bytes) -> str:
    if mine == others:
        return ""
    try:
        pair = [_text(mine), _text(others)]
    except ValueError:
        return f"differs at byte {_place(mine, others)}"
    lines = zip_longest(*(text.splitlines(keepends=True) for text in pair), fillvalue="")
    number, (here, there) = next((n, p) for n, p in enumerate(lines, 1) if p[0] != p[1])
    start = max(0, _place(here.encode(), there.encode()) - _WIDTH // 2)
    return (
        f"differs in line {number}: {_quoted(here[start:].rstrip())}, in the second build"
        f" {_quoted(there[start:].rstrip())}"
    )


def _text(data: bytes) -> str:
    if b"\0" in data:
        raise ValueError("not text")
    return data.decode("utf-8")


def _place(mine: bytes, others: bytes) -> int:
    """Return the first byte that differs, counted from 0."""
    pairs = enumerate(zip(mine, others, strict=False))
    return next((n for n, (a, b) in pairs if a != b), min(len(mine), len(others)))


def _quoted(text: str) -> str:
    """Return a stranger's text as short quoted ASCII, safe for a terminal and a log."""
    return ascii(text if len(text) <= _WIDTH else f"{text[:_WIDTH]}...")
