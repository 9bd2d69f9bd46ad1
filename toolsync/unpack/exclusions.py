"""What debian/copyright leaves out of the orig tarball: Files-Excluded and Files-Included.

The patterns mean what they mean to mk-origtargz(1): ``*`` and ``?`` match ``/`` too, a
backslash takes the meaning from ``*``, ``?`` and itself, a folder takes all below it along, the
archive's top folder and a leading ``./`` do not count. What Files-Included matches stays.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from toolsync.config.packaging import require_plain
from toolsync.model.errors import SetupError

_FORMAT = re.compile(r"https?://www\.debian\.org/doc/packaging-manuals/copyright-format/[.\d]+/?")
_TOKEN = re.compile(r"\\([\\*?])|([\\])|([*])|([?])|([^\\*?]+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Exclusions:
    """The patterns of one file, as written."""

    excluded: tuple[str, ...] = ()
    included: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for pattern in (*self.excluded, *self.included):
            _compiled(pattern)

    @classmethod
    def read(cls, copyright_file: Path, component: str = "") -> Exclusions:
        """Return what a debian/copyright says, for the main tarball or a component's.

        Nothing is excluded where there is no such file. Raises SetupError for a file that
        cannot be read, for fields that do not count because the file is not in the
        machine-readable format, and for a pattern that cannot be understood.
        """
        # Loaded where a file is really read: most tarballs are made without one.
        from debian.deb822 import Deb822

        try:
            header = Deb822(require_plain(copyright_file).read_text(encoding="utf-8"))
        except FileNotFoundError:
            return cls()
        except (OSError, ValueError) as error:
            raise SetupError(
                f"{copyright_file} cannot be read: {error}",
                resolution="Mend the file: it is text in UTF-8.",
            ) from error
        suffix = f"-{component}" if component else ""
        excluded = header.get(f"Files-Excluded{suffix}", "").split()
        included = header.get(f"Files-Included{suffix}", "").split()
        if excluded and not _FORMAT.fullmatch(header.get("Format", "").strip()):
            raise SetupError(
                f"{copyright_file} has Files-Excluded but not the Format of DEP-5, without "
                "which the field means nothing",
                resolution="Begin it with: Format: "
                "https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/",
            )
        return cls(excluded=tuple(excluded), included=tuple(included))

    def select(self, paths: Iterable[str], top: str) -> tuple[frozenset[str], tuple[str, ...]]:
        """Return which of ``paths`` are left out, and the patterns that match none of them.

        ``top`` is the archive's one top folder, ``""`` where it has none.
        """
        out, keep = _Matcher(self.excluded, top), _Matcher(self.included, top)
        left_out = set()
        for path in paths:
            # Both are asked about every path, so that every pattern's use is seen.
            dropped, kept = out.matches(path), keep.matches(path)
            if dropped and not kept:
                left_out.add(path)
        return frozenset(left_out), (*out.unused(), *keep.unused())


class _Matcher:
    """Matches paths, remembering what is known of the folders above them."""

    def __init__(self, patterns: tuple[str, ...], top: str) -> None:
        self._patterns = [(pattern, _compiled(pattern)) for pattern in patterns]
        self._top = f"{top}/" if top else ""
        self._used: set[str] = set()
        self._known: dict[str, bool] = {}

    def matches(self, path: str) -> bool:
        """Say whether a pattern matches ``path`` or a folder above it."""
        if not self._patterns:
            return False
        found = self._known.get(path.rpartition("/")[0])
        if found is not None:
            return self._known.setdefault(path, self._alone(path) or found)
        found = False
        ends = [at for at, char in enumerate(path) if char == "/"]
        for end in (*ends, len(path)):
            part = path[:end]
            known = self._known.get(part)
            if known is None:
                known = self._known[part] = self._alone(part) or found
            found = known
        return found

    def _alone(self, path: str) -> bool:
        short = path.removeprefix(self._top)
        hits = [
            pattern
            for pattern, regex in self._patterns
            if regex.fullmatch(path) or regex.fullmatch(short)
        ]
        self._used.update(hits)
        return bool(hits)

    def unused(self) -> tuple[str, ...]:
        """Return the patterns that matched nothing so far."""
        return tuple(pattern for pattern, _ in self._patterns if pattern not in self._used)


def _compiled(pattern: str) -> re.Pattern[str]:
    """Return a pattern's regular expression, which takes linear time on any path.

    What stands between two stars is matched at its first place and never tried elsewhere (an
    atomic group), which is enough: a later place can only leave less to the rest.
    """
    pieces: list[str] = [""]
    for literal, wrong, star, any_one, plain in _TOKEN.findall(
        pattern.removeprefix("./").rstrip("/") or pattern
    ):
        if wrong:
            raise SetupError(
                f"debian/copyright: the pattern {pattern} has a backslash before something else "
                "than a backslash, * or ?",
                resolution="Write \\\\ for a backslash.",
            )
        if star:
            pieces.append("")
        else:
            pieces[-1] += "." if any_one else re.escape(literal or plain)
    first, *rest = pieces
    if not rest:
        return re.compile(first, re.DOTALL)
    middle = "".join(f"(?>.*?{piece})" for piece in rest[:-1] if piece)
    return re.compile(f"{first}{middle}.*{rest[-1]}", re.DOTALL)
