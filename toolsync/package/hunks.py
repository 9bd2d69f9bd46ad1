"""Read a patch: its DEP-3 header, the files that it changes, and the hunks of each."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import PurePosixPath

_OLD = re.compile(rb"^--- ([^\t\r\n]+)")
_NEW = re.compile(rb"^\+\+\+ ([^\t\r\n]+)")
_HUNK = re.compile(rb"^@@ -(\d+)(?:,(\d+))? \+\d+(?:,(\d+))? @@")
_ABOUT = re.compile(rb"^(?:diff |Index: |index |={20})")
_MODES = re.compile(
    rb"^(?:(?:old|new) mode|(?:rename|copy) (?:from|to)|GIT binary patch)\b", re.MULTILINE
)
_FIELD = re.compile(r"(?mi)^(Origin|Forwarded|Applied-Upstream|Bug):[ \t]*(\S.*)$")
_VERSION = re.compile(r"v?\d{1,7}(?:[.~+-][\w.~+-]{1,40})?")
_COMMIT = re.compile(r"\b(?:commit[ /:=]+|From )([0-9a-f]{8,40})\b", re.IGNORECASE)
_UPSTREAM = re.compile(r"^\s*(?:upstream|backport)\b|/commits?/[0-9a-f]{7,40}", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Part:
    """What a patch does to one file."""

    head: bytes
    """Its lines ``---`` and ``+++``, and what git or cvs wrote above them."""
    old: str
    new: str
    """Names below the tree; ``/dev/null`` for none."""
    hunks: tuple[bytes, ...] = ()

    @property
    def name(self) -> str:
        """The file that it is about."""
        return self.old if self.new == "/dev/null" else self.new

    def only(self, hunk: bytes) -> bytes:
        """Return a patch of one of its hunks."""
        return self.head + hunk


@dataclass(frozen=True, slots=True)
class Patch:
    """A patch of debian/patches."""

    name: str
    data: bytes
    header: bytes
    parts: tuple[Part, ...]

    @property
    def is_plain(self) -> bool:
        """Whether its hunks say all: it changes no modes, moves no file and has no binary data."""
        return bool(self.parts) and not _MODES.search(self.data)

    @property
    def names(self) -> frozenset[str]:
        """The files that it reads or writes, by their names below the tree."""
        named = {name for part in self.parts for name in (part.old, part.new)}
        return frozenset(name for name in named if name != "/dev/null")

    @property
    def is_inside(self) -> bool:
        """Whether it names nothing outside of the tree."""
        return not any(
            ".." in (path := PurePosixPath(name)).parts or path.is_absolute() for name in self.names
        )

    @property
    def fields(self) -> Mapping[str, str]:
        """What its header says of where the change comes from and went to, by DEP-3."""
        found = _FIELD.findall(self.header.decode(errors="replace"))
        return {name.lower(): value.strip()[:200] for name, value in found}

    @property
    def applied_in(self) -> str:
        """The upstream version that has it by Applied-Upstream; empty where none is named."""
        word = self.fields.get("applied-upstream", "").partition(",")[0].strip()
        return word.lstrip("v") if _VERSION.fullmatch(word) else ""

    @property
    def source(self) -> str:
        """Where its header says that upstream has the change, in a phrase; empty if nowhere."""
        if told := self.fields.get("applied-upstream"):
            return f"Applied-Upstream: {told}"
        if (told := self.fields.get("origin", "")) and _UPSTREAM.search(told):
            return f"Origin: {told}"
        text = self.header.decode(errors="replace")
        picked = re.search(r"\bupstream\b", text, re.IGNORECASE) and _COMMIT.search(text)
        return f"upstream's commit {picked[1]}" if picked else ""

    @property
    def link(self) -> str:
        """The address or commit that its header names for a reader; empty where it names none."""
        fields = (self.fields.get(name, "") for name in ("origin", "forwarded", "bug"))
        known = (self.source, *fields)
        return next((word for word in known if "://" in word or "commit" in word.lower()), "")


def read_patch(name: str, data: bytes) -> Patch:
    """Return a unified patch; one of another form has no parts."""
    lines = data.splitlines(keepends=True)
    parts: list[Part] = []
    header = pending = b""
    at = 0
    while at < len(lines):
        old = _OLD.match(lines[at])
        new = _NEW.match(lines[at + 1]) if old and at + 1 < len(lines) else None
        if old and new:
            before, about = _parted(pending)
            header += before if not parts else b""
            part = Part(about + lines[at] + lines[at + 1], _bare(old[1]), _bare(new[1]))
            hunks = tuple(_hunks(lines, at + 2))
            parts.append(replace(part, hunks=hunks))
            pending, at = b"", at + 2 + sum(len(hunk.splitlines()) for hunk in hunks)
        else:
            pending, at = pending + lines[at], at + 1
    return Patch(name=name, data=data, header=header, parts=tuple(parts))


def _parted(text: bytes) -> tuple[bytes, bytes]:
    """Return what stands before the lines of git or cvs about a file, and these."""
    lines = text.splitlines(keepends=True)
    first = next((at for at, line in enumerate(lines) if _ABOUT.match(line)), len(lines))
    return b"".join(lines[:first]), b"".join(lines[first:])


def _bare(name: bytes) -> str:
    """Return a file's name without the first folder, as ``patch -p1`` reads it."""
    text = name.decode(errors="surrogateescape").strip()
    return text if text == "/dev/null" else text.partition("/")[2] or text


def _hunks(lines: list[bytes], at: int) -> Iterator[bytes]:
    """Yield the hunks that begin at a line; they end where their counts are used up."""
    while at < len(lines) and (match := _HUNK.match(lines[at])):
        left, right = (1 if count is None else int(count) for count in match.groups()[1:])
        end = at + 1
        while end < len(lines) and (left > 0 or right > 0):
            first = lines[end][:1]
            left -= first in b" -\r\n"
            right -= first in b" +\r\n"
            if first not in (b" ", b"-", b"+", b"\\", b"\r", b"\n"):
                break
            end += 1
        while end < len(lines) and lines[end].startswith(b"\\"):
            end += 1
        yield b"".join(lines[at:end])
        at = end


def changed_lines(hunk: bytes) -> list[bytes]:
    """Return the lines that a hunk takes away, or without any its context; blanks left out."""
    lines = hunk.splitlines()[1:]
    gone = [line[1:] for line in lines if line.startswith(b"-")]
    return [b"".join(line.split()) for line in gone or [line[1:] for line in lines]]


def strips_blanks(hunk: bytes) -> bool:
    """Say whether a hunk only takes blanks off the ends of lines, where they mean nothing."""
    lines = hunk.splitlines()[1:]
    old = [line[1:].rstrip(b" \t\r") for line in lines if line.startswith(b"-")]
    new = [line[1:] for line in lines if line.startswith(b"+")]
    return bool(old) and old == new and not any(line.endswith(b"\\") for line in old)


def taken_away(hunk: bytes) -> bytes:
    """Return a hunk's old lines from the first to the last that it takes away; empty for none."""
    old = [line for line in hunk.splitlines(keepends=True)[1:] if line[:1] in (b" ", b"-")]
    gone = [at for at, line in enumerate(old) if line.startswith(b"-")]
    return b"".join(line[1:] for line in old[gone[0] : gone[-1] + 1]) if gone else b""
