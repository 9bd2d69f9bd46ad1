"""A release's files as the readers see them: bounded, and never through a link that leads out."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path, PurePosixPath

from toolsync.archives.member import as_text

TEXT_LIMIT = 4 * 1024 * 1024
"""Bytes of one source file; none that a person wrote is longer."""
FILES_LIMIT = 300_000

_ASIDE = re.compile(
    r"(^|/)(tests?|testing|specs?|docs?|examples?|samples|benchmarks?|\.git|node_modules)/"
)
"""Folders whose files no user meets."""


class Tree:
    """The regular files below a folder, by their path in it."""

    def __init__(self, root: Path) -> None:
        self.root = root.resolve()
        self.too_many = False
        self.unread: dict[str, str] = {}
        """Why a file that somebody wanted to read was not read, by its path."""

    @cached_property
    def files(self) -> Mapping[str, Path]:
        """Every file by its path with slashes; a link counts if it ends inside, at a file."""
        found: dict[str, Path] = {}
        for folder, folders, names in os.walk(self.root):
            folders.sort()
            for name in sorted(names):
                path = Path(folder, name)
                real = self._real(path)
                if real is not None:
                    found[as_text(path.relative_to(self.root).as_posix())] = real
                if len(found) >= FILES_LIMIT:
                    self.too_many = True
                    return found
        return found

    def _real(self, path: Path) -> Path | None:
        if not path.is_symlink():
            return path if path.is_file() else None
        try:
            real = path.resolve(strict=True)
        except (OSError, RuntimeError):
            return None
        return real if real.is_relative_to(self.root) and real.is_file() else None

    @cached_property
    def sources(self) -> tuple[str, ...]:
        """Paths of files that are part of the tool: neither tests nor documentation."""
        return tuple(name for name in self.files if not _ASIDE.search(name))

    def named(self, pattern: str) -> Iterator[str]:
        """Yield the source paths that match a regular expression as a whole."""
        compiled = re.compile(pattern)
        return (name for name in self.sources if compiled.fullmatch(name))

    def read(self, name: str, limit: int = TEXT_LIMIT) -> bytes | None:
        """Return a file's bytes, None if it is longer than ``limit`` or cannot be read."""
        path = self.files.get(name)
        if path is None:
            return None
        try:
            with path.open("rb") as file:
                data = file.read(limit + 1)
        except OSError as error:
            self.unread[name] = f"it cannot be read: {error.strerror}"
            return None
        if len(data) > limit:
            self.unread[name] = f"it has more than {limit} bytes"
            return None
        return data

    def text(self, name: str) -> str | None:
        """Return a file as text, with U+FFFD for what is none; None as for `read`."""
        data = self.read(name)
        return None if data is None else data.decode("utf-8", errors="replace")

    def head(self, name: str, size: int = 256) -> bytes:
        """Return a file's first bytes."""
        try:
            with self.files[name].open("rb") as file:
                return file.read(size)
        except (OSError, KeyError):
            return b""

    def executable(self, name: str) -> bool:
        """Say whether somebody may execute the file."""
        return bool(self.files[name].stat().st_mode & 0o111)

    def interpreter(self, name: str) -> str:
        """Return the last word of a script's shebang that names a program, e.g. ``python3``."""
        first = self.head(name).split(b"\n", 1)[0]
        if not first.startswith(b"#!"):
            return ""
        words = first[2:].decode("latin-1").split()
        program = PurePosixPath(words[0]).name if words else ""
        if program == "env":
            rest = [word for word in words[1:] if not word.startswith("-") and "=" not in word]
            program = PurePosixPath(rest[0]).name if rest else ""
        return program

    def digest(self) -> str:
        """Return SHA-256 over the paths, executable bits and contents of all files, in hex."""
        total = hashlib.sha256()
        for name, path in self.files.items():
            with path.open("rb") as file:
                content = hashlib.file_digest(file, "sha256").hexdigest()
            total.update(f"{name}\0{self.executable(name):d}\0{content}\n".encode(errors="replace"))
        return total.hexdigest()
