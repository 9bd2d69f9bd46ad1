"""Say which hunks a release needs no longer, though they cannot be applied to it.

What is left out by these rules cannot make a build worse: it is cosmetic, or what it changed is
gone. What was moved to another file, or has become other lines, is not gone.
"""

from __future__ import annotations

from pathlib import Path

from toolsync.package.hunks import Part, changed_lines, strips_blanks
from toolsync.package.wording import in_prose, is_like_any, mends_spelling, serves

_KNOWN_BY = 12
"""Characters by which a line is known again elsewhere."""
_READ = 64 * 1024 * 1024
"""Bytes of a release that are searched for what a patch changes."""


class Needless:
    """Judges hunks by the release that lies in ``tree``, whose lines are read once."""

    def __init__(self, tree: Path) -> None:
        self._tree = tree
        self._all: frozenset[bytes] | None = None

    def why(self, part: Part, hunk: bytes) -> str:
        """Return why the release does not need a hunk, in a phrase; empty where it may."""
        name, there = part.old, (self._tree / part.old).is_file()
        if strips_blanks(hunk):
            return (
                "some of its hunks only take blanks off the ends of lines, and these have changed"
            )
        if (what := serves(name)) and name == part.new:
            return f"lines of {name} that it changes have changed, which is {what} alone"
        if mends_spelling(hunk) and in_prose(hunk):
            return f"lines of {name} around the words of which it mends the spelling have changed"
        if "/dev/null" in (name, part.new) or not self._is_gone(hunk):
            return ""
        if not there:
            return f"{name} is gone from this release, and what it changes there with it"
        if mends_spelling(hunk):
            return f"{name} no longer has the lines of which it mends the spelling"
        if self._only_takes(name, hunk):
            return f"what it takes out of {name} is nowhere in this release"
        return ""

    def _is_gone(self, hunk: bytes) -> bool:
        """Say whether none of the lines that a hunk changes is anywhere in the release."""
        changed = {line for line in changed_lines(hunk) if len(line) >= _KNOWN_BY}
        known = self._lines()
        return bool(changed) and known is not None and not changed & known

    def _only_takes(self, name: str, hunk: bytes) -> bool:
        """Say whether a hunk only takes lines away, which have not become others in their file."""
        text = (self._tree / name).read_bytes()
        added = any(line.startswith(b"+") for line in hunk.splitlines()[1:])
        return not added and not any(
            is_like_any(line, text) for line in changed_lines(hunk) if line
        )

    def _lines(self) -> frozenset[bytes] | None:
        """Return every line of the release, without its blanks; None where that is too much."""
        if self._all is None:
            found: set[bytes] = set()
            size = 0
            for path in self._tree.rglob("*"):
                if path.is_file() and not path.is_symlink():
                    size += path.stat().st_size
                    if size > _READ:
                        return None
                    found.update(b"".join(line.split()) for line in path.read_bytes().splitlines())
            self._all = frozenset(found)
        return self._all
