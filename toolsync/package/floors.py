"""Ask for a series' own dpkg-dev where packaging of a later series asks for a newer one.

A floor under dpkg-dev stands for build flags of the later series' ABI: the transition to a 64-bit
time_t put ``dpkg-dev (>= 1.22.5)`` into very many libraries. A package for an older series has to
have that one's ABI, whose flags its own dpkg-dev gives; so whoever backports takes the floor out.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from toolsync.config.series import is_later
from toolsync.model.release import Finding

_RULES = 1
"""Raised when other demands are lowered: what is held for one is then packaged anew."""
_TOOL = "dpkg-dev"
_SOURCE = re.compile(r"^Source:", re.MULTILINE | re.IGNORECASE)
_ENTRY = r"dpkg-dev\s*\(>=[^)|,]*\)(?:\s*(?:\[[^]]*\]|<[^>]*>))*"
_NOTE = r"(?:[ \t]*\n#[^\n]*)*"
_ALONE = re.compile(
    rf"^Build-Depends[\w-]*:{_NOTE}\s*({_ENTRY})[ \t]*,?[ \t]*(?:\n(?![ \t#])|\Z)", re.MULTILINE
)
"""A field that asks for nothing else."""
_FLOOR = re.compile(rf"(?<=[:,])({_NOTE})\s*({_ENTRY})\s*,|,\s*({_ENTRY})(?=\s*(?:\n\S|\Z))")
"""An entry with one of its commas; dpkg-dev is build-essential, so that nobody has to name it."""


def rules(origin: str, series: str) -> int:
    """Return by which rules packaging from ``origin`` is fitted to a series; 0 for its own."""
    return _RULES if is_later(origin, series) else 0


def is_lowered(group: Sequence[Mapping[str, object]], origin: str, series: str) -> bool:
    """Say whether a relation, as its alternatives, is no matter to a backport from ``origin``."""
    return is_later(origin, series) and all(map(_is_floor, group))


def _is_floor(one: Mapping[str, object]) -> bool:
    version = one.get("version")
    return one["name"] == _TOOL and isinstance(version, tuple) and version[0] == ">="


def lower_floors(debian: Path, origin: str, series: str) -> tuple[Finding, ...]:
    """Take floors under dpkg-dev out of what a later series' packaging is built with; say so."""
    path = debian / "control"
    if not is_later(origin, series) or not path.is_file():
        return ()
    text = path.read_text(encoding="utf-8", errors="surrogateescape")
    parts = re.split(r"(\n[ \t]*\n+)", text)  # a comment may stand before the first one
    place = next((n for n, part in enumerate(parts) if _SOURCE.search(part)), 0)
    found: dict[str, None] = {}

    def left(match: re.Match[str]) -> str:
        note, *entries = match.groups() if match.re is _FLOOR else ("", match[1])
        found.update(dict.fromkeys(filter(None, entries)))
        return note or ""

    parts[place] = _FLOOR.sub(left, _ALONE.sub(left, parts[place])).rstrip("\n")
    if not found:
        return ()
    path.write_text("".join(parts), "utf-8", "surrogateescape")
    said = (
        f"it is built with {series}'s own dpkg-dev, for that series' ABI; {origin}'s packaging asks"
        f" for {', '.join(found)}"
    )
    return (Finding(stage="package", code="build-floor", severity="risky", message=said),)
