"""The members that the readers yield, with clean paths, and the errors that refuse one.

A path that comes out of here is relative, has no ``.``, ``..`` or empty part, and fits into a
file system; anything else has been refused. Bytes that are not UTF-8 stand in it as os.fsdecode
has them, and come out again as they were. What else no honest archive has is a member's ``fault``:
`guard` refuses it, unless debian/copyright leaves the member out.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from toolsync.model.errors import Hostile

PART_BYTES = 255
"""NAME_MAX of Linux: no file system that a build runs on takes a longer part."""
PATH_BYTES = 2048
"""Half of PATH_MAX, so that the tree can be unpacked below another folder."""

ASK = (
    "Do not unpack it by hand. Compare the file with what upstream publishes and ask upstream; "
    "reject the release if it stays like this."
)


class Readable(Protocol):
    """What a member's content is read from."""

    def read(self, size: int = -1, /) -> bytes:
        """Return up to ``size`` bytes, all that is left when it is negative, b"" at the end."""


class Nothing:
    """The content of a member that has none, such as a folder."""

    def read(self, size: int = -1, /) -> bytes:
        """Return b""."""
        return b""


NOTHING = Nothing()


class Kind(StrEnum):
    """What a member is; nothing else is let through."""

    FILE = "file"
    FOLDER = "folder"
    SYMLINK = "symlink"
    HARDLINK = "hardlink"


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One member of an archive."""

    path: str
    """Clean, see above; ``""`` never occurs."""
    kind: Kind
    executable: bool = False
    mtime: int = 0
    """Seconds since 1970 (UTC), as the archive says; may be negative."""
    size: int = 0
    """Bytes of content; 0 for all but files."""
    target: str = ""
    """Where a symlink points (as written), or the clean path that a hardlink repeats."""
    special: bool = False
    """A file that had a setuid or setgid bit, which is dropped."""
    fault: Hostile | None = field(default=None, compare=False, repr=False)
    """Why it must not be unpacked; then its kind and content may be others than the archive's."""
    data: Readable = field(default=NOTHING, compare=False, repr=False)
    """The content, to be read before the next member is asked for."""


def shown(name: str | bytes) -> str:
    """Return an untrusted name as short quoted ASCII, safe for a terminal and a log."""
    text = name.decode("utf-8", "backslashreplace") if isinstance(name, bytes) else name
    if len(text) > 120:
        text = f"{text[:80]}…{text[-30:]}"
    quoted = ascii(text)
    return re.sub(r"\\udc([89a-f][0-9a-f])", r"\\\\x\1", quoted).replace("\\u2026", "...")


def refusal(name: str | bytes, problem: str, resolution: str = ASK) -> Hostile:
    """Return the error for a member: which one, what is wrong, what to do."""
    return Hostile(f"the archive's member {shown(name)} {problem}", resolution=resolution)


def broken(problem: str) -> Hostile:
    """Return the error for an archive that cannot be read to its end."""
    return Hostile(
        f"the archive {problem}",
        resolution="Fetch it again; if it stays like this, upstream has published a broken file.",
    )


def clean_path(raw: str | bytes) -> str:
    """Return a member's name as a clean path, ``""`` for the archive's own root.

    Raises Hostile for a name that leads outside or cannot be stored.
    """
    name = name_of(raw)
    if name.startswith("/"):
        raise refusal(raw, "has an absolute name; wanted one below the archive's top")
    if "\\" in name and ".." in name.replace("\\", "/").split("/"):
        raise refusal(raw, "has a backslash in its name beside .. and may lead out of the tree")
    parts = [part for part in name.split("/") if part not in ("", ".")]
    if ".." in parts:
        raise refusal(raw, "has .. in its name, which leads out of the tree")
    return "/".join(parts)


def name_of(raw: str | bytes) -> str:
    """Return a name or a link's target as text; raise Hostile where it is too long."""
    name = raw if isinstance(raw, str) else raw.decode("utf-8", "surrogateescape")
    size = len(as_bytes(name))
    longest = size if size <= PART_BYTES else max(len(as_bytes(part)) for part in name.split("/"))
    if size > PATH_BYTES or longest > PART_BYTES:
        raise refusal(
            raw,
            f"has a name of {size} bytes, its longest part {longest}; "
            f"wanted at most {PATH_BYTES} and {PART_BYTES}",
        )
    return name


def unreadable(name: str) -> Hostile | None:
    """Return the refusal of a name or target with control characters, None where it has none."""
    # What can be printed has none; asking so first is many times faster.
    if not name.isprintable() and any(unicodedata.category(char) == "Cc" for char in name):
        return refusal(name, "has a control character in its name")
    return None


def as_bytes(name: str) -> bytes:
    """Return a name as the archive had it."""
    return name.encode("utf-8", "surrogateescape")


def as_text(name: str) -> str:
    """Return a name as text that can be written down anywhere."""
    if name.isascii():
        return name
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
