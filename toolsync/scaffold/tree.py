"""What an unpacked tree shows to those who write its packaging: names, and the start of texts."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator
from fnmatch import fnmatchcase
from functools import cached_property
from pathlib import Path

from toolsync.license.normalise import decode

_MOST = 100_000
"""Files that are looked at; what tells how to build lies near the top."""
_TEXT = 512 * 1024
"""Bytes of a file that are read."""
_PLAIN = re.compile(r"(?!-)[\w.@+~-]+(?:/[\w.@+~-]+)*", re.ASCII)
"""A path that means itself to make, to the shell and to debhelper's lists."""
_ELF = b"\x7fELF"


def is_plain(path: str) -> bool:
    """Say whether a path can stand in debian/rules and in lists of debhelper's, and leads down."""
    return _PLAIN.fullmatch(path) is not None and ".." not in path.split("/")


class Tree:
    """A release's tree: read, and never run; links are not followed.

    Names that would mean another thing in what is written are passed over.
    """

    def __init__(self, top: Path) -> None:
        self.top = top

    @cached_property
    def files(self) -> tuple[str, ...]:
        """The paths of its regular files below the top, those near it first."""
        found = [path for path, _ in zip(self._walked(), range(_MOST), strict=False)]
        return tuple(sorted(found, key=lambda path: (path.count("/"), path)))

    def _walked(self) -> Iterator[str]:
        for folder, _, names in os.walk(self.top):
            below = os.path.relpath(folder, self.top)
            for name in names:
                path = name if below == "." else f"{below}/{name}"
                if is_plain(path) and stat.S_ISREG((self.top / path).lstat().st_mode):
                    yield path

    def matching(self, *patterns: str) -> tuple[str, ...]:
        """Return the paths that fit a pattern; ``*`` fits slashes, too."""
        return tuple(p for p in self.files if any(fnmatchcase(p, each) for each in patterns))

    def at_top(self, *patterns: str) -> tuple[str, ...]:
        """Return the files at the top that fit a pattern."""
        near = (path for path in self.files if "/" not in path)
        return tuple(p for p in near if any(fnmatchcase(p, each) for each in patterns))

    def has(self, *names: str) -> bool:
        """Say whether any of these is a file at the top."""
        return any(name in self._all for name in names)

    @cached_property
    def _all(self) -> frozenset[str]:
        return frozenset(self.files)

    def text(self, path: str) -> str:
        """Return the start of a file's text, empty where there is none."""
        return decode(self._start(path, _TEXT)) or "" if path in self._all else ""

    def texts(self, *patterns: str) -> Iterator[str]:
        """Give the text of each file that fits."""
        return map(self.text, self.matching(*patterns))

    def programs(self) -> tuple[str, ...]:
        """Return the files that their makers meant to be run: by mode, and by their first bytes."""
        return tuple(path for path in self.files if self.interpreter(path) or self.is_elf(path))

    def interpreter(self, path: str) -> str:
        """Return the name of the program that runs a script, empty for what is no such script."""
        if not (self.top / path).lstat().st_mode & 0o111:
            return ""
        first = self._start(path, 200).partition(b"\n")[0]
        words = first.removeprefix(b"#!").decode("latin-1").split() if first[:2] == b"#!" else []
        if words and words[0].endswith("/env"):
            words = [word for word in words[1:] if not word.startswith("-")]
        return words[0].rpartition("/")[2] if words else ""

    def is_elf(self, path: str) -> bool:
        """Say whether a file is a compiled program or library."""
        return self._start(path, 4) == _ELF

    def machine(self, path: str) -> int:
        """Return the machine that an ELF file is for (its ``e_machine``, of little-endian ones)."""
        return int.from_bytes(self._start(path, 20)[18:20], "little")

    def is_run(self, path: str) -> bool:
        """Say whether an ELF file is a program: by its mode, and its name is no library's."""
        run = (self.top / path).lstat().st_mode & 0o111
        return bool(run) and self.is_elf(path) and ".so" not in path.rpartition("/")[2]

    def _start(self, path: str, size: int) -> bytes:
        with (self.top / path).open("rb") as file:
            return file.read(size)
