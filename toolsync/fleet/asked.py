"""What a worker is asked: to build and test one source package for one series and architecture."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass

from toolsync.model.errors import Hostile
from toolsync.model.values import Blob, dump, load

FORM = 1
"""Of questions and answers; raised when an older worker could not read them."""
MOST_FILES = 500
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9+.~_-]{0,199}")
"""A file's name as dpkg writes it (Debian Policy 5.6.1, 5.6.12), and a series'."""
_DIGEST = re.compile(r"[0-9a-f]{64}")
_MOST = 64 * 1024**3
"""Bytes of one file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildAsked:
    """One source package, to be built for one series on one architecture."""

    name: str
    version: str
    series: str
    architecture: str
    files: tuple[Blob, ...]
    """The .dsc first, then what it names: in the store."""
    backend: str
    tests: bool
    lint: bool
    rebuild: bool
    known: tuple[str, ...]
    """Errors of lintian's that the packaging had before."""
    form: int = FORM

    @property
    def queue(self) -> str:
        """The queue of those who can do it."""
        return f"build.{self.architecture}"

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the question: the same question is asked once."""
        return hashlib.sha256(json.dumps(dump(self), sort_keys=True).encode()).hexdigest()


def read_asked(data: object) -> BuildAsked:
    """Return a question that came by the broker; raises Hostile where it is none."""
    try:
        asked = load(BuildAsked, data)  # type: ignore[arg-type]
    except (TypeError, ValueError, KeyError) as error:
        raise Hostile(f"a task that cannot be read: {error}") from error
    if asked.form != FORM:
        raise Hostile(f"a task of form {asked.form}, this worker knows {FORM}")
    require_names(asked.name, asked.series, asked.architecture, asked.backend)
    require_files(asked.files)
    if not asked.files or not asked.files[0].name.endswith(".dsc"):
        raise Hostile("a task without a .dsc")
    return asked


def require_files(files: tuple[Blob, ...]) -> None:
    """Raise Hostile unless names, digests, sizes and the count of files can be true."""
    if len(files) > MOST_FILES or len({blob.name for blob in files}) != len(files):
        raise Hostile(f"{len(files)} files, or one named twice; at most {MOST_FILES}")
    for blob in files:
        require_blob(blob)


def require_blob(blob: Blob, most: int = _MOST) -> None:
    """Raise Hostile unless a file's name, digest and size can be true."""
    require_names(blob.name)
    if not _DIGEST.fullmatch(blob.sha256) or not 0 <= blob.size <= most:
        raise Hostile(f"{blob.name} as {blob.sha256[:70]!r} of {blob.size} bytes")


def require_names(*names: str) -> None:
    """Raise Hostile where a name has a character that none has, or is too long."""
    for name in names:
        if not _NAME.fullmatch(name):
            raise Hostile(f"the name {name[:70]!r}, which no file, series or package has")
