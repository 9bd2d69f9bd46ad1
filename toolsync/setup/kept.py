"""Keep definitions of very many tools as they were read, and read again what was changed.

To parse ten thousand files and compare them with the schema takes a second, and next to none of
them has changed since. So what they said is kept in the state, each with the marks of its files;
where a mark is another one, or anything about the file is odd, the definition itself is read. It
is for lists: what is worked on is read from its own files, and what lies in the state decides
nothing about keys, addresses or gates of a release that is taken.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from pathlib import Path

from toolsync.config import consistency
from toolsync.config.definition import Tool
from toolsync.model.errors import SetupError
from toolsync.setup import tools
from toolsync.setup.cachefile import read_cache, write_cache
from toolsync.setup.tools import TOOLS, Parsed, parsed, tool_of
from toolsync.system.clock import SystemClock

_SETTLED = 2 * 10**9
"""Nanoseconds that a file must have rested before it was read: one that is written twice within
a tick of the file system's clock has the same mark both times."""
_STALE = 0.02
"""Share of the definitions that may be read anew each time before all are written again."""


class Definitions:
    """The definitions of a set-up's tools, as they were when they were last read."""

    def __init__(self, file: Path, now: int) -> None:
        """Read what is kept in ``file``; ``now`` is the moment in nanoseconds since 1970."""
        self._file, self._now = file, now
        self._key = rules()
        self._kept = dict(self._read())
        self._lines: dict[str, str] = {}
        self.news = 0
        """How many were read from their own files."""

    def read(self, folder: str, overlay: Path) -> Tool | SetupError:
        """Return the tool that a folder and an overlay define, or what is wrong with it."""
        marks = marks_of(folder, str(overlay), self._now)
        line = self._kept.get(folder)
        if marks and line and line.startswith(marks):
            try:
                found = tool_of(Path(folder), Parsed(*json.loads(line[len(marks) :])), overlay)
            except (ValueError, TypeError, KeyError):
                pass  # not as we wrote it: as if it had never been kept
            else:
                self._lines[folder] = line
                return found
        self.news += 1
        try:
            what = parsed(Path(folder), overlay=overlay)
            if marks and what.raw["watch"]["kind"] != "watch":  # that one is read from more files
                self._lines[folder] = marks + json.dumps(what)
            return tool_of(Path(folder), what, overlay)
        except SetupError as error:
            return error

    def keep(self) -> None:
        """Write all anew, where so many were read that it pays; it need not succeed."""
        if self.news <= _STALE * len(self._lines):
            return
        text = "".join(f"{folder}\0{line}\n" for folder, line in self._lines.items())
        write_cache(self._file, self._key, text.encode(errors="surrogateescape"))

    def _read(self) -> Iterator[tuple[str, str]]:
        """Give what is kept by this version of the program, nothing where it is not whole."""
        data = read_cache(self._file, self._key)
        for line in data.decode(errors="surrogateescape").split("\n"):
            folder, found, rest = line.partition("\0")
            if found:
                yield folder, rest


def marks_of(folder: str, overlay: str, now: int) -> str:
    """Return the marks of a definition's files; empty where one may change unseen.

    ``overlay`` is empty where it is known that there is none; ``now`` is in nanoseconds.
    """
    try:
        # A path of each would take three times as long.
        own = os.stat(f"{folder}/tool.toml")  # noqa: PTH116
        control = os.stat(f"{folder}/debian/control")  # noqa: PTH116
    except OSError:
        return ""
    try:
        over = os.stat(overlay) if overlay else None  # noqa: PTH116
    except FileNotFoundError:
        over = None
    except OSError:
        return ""
    youngest = max(own.st_ctime_ns, control.st_ctime_ns, over.st_ctime_ns if over else 0)
    if youngest > now - _SETTLED:
        return ""
    return f"{_mark(own)} {_mark(control)} {_mark(over) if over else '-'} "


def _mark(seen: os.stat_result) -> str:
    # A change of the content changes the last of these, whatever sets the others back.
    return f"{seen.st_dev}:{seen.st_ino}:{seen.st_size}:{seen.st_mtime_ns}:{seen.st_ctime_ns}"


def rules() -> str:
    """Return by what definitions were judged: another program may find other faults."""
    from importlib.metadata import PackageNotFoundError, version  # few lists are so long

    try:
        program = version("toolsync")
    except PackageNotFoundError:
        program = ""
    # A checkout's version stays while its rules are edited, so their files count, too.
    files = [Path(module.__file__ or "").stat().st_mtime_ns for module in (consistency, tools)]
    judged = json.dumps([program, files, TOOLS.schema], sort_keys=True)
    return hashlib.sha256(judged.encode()).hexdigest()


def definitions(state: Path) -> Definitions:
    """Return what is kept of the definitions of a set-up with this state folder."""
    now = SystemClock().now().timestamp()
    return Definitions(state / "definitions", int(now * 10**9))
