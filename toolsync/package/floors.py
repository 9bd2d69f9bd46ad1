"""Ask for a series' own dpkg-dev where packaging of a later series asks for a newer one.

A floor under dpkg-dev stands for build flags of the later series' ABI: the transition to a 64-bit
time_t put ``dpkg-dev (>= 1.22.5)`` into very many libraries. A package for an older series has to
have that one's ABI, whose flags its own dpkg-dev gives; so whoever backports takes the floor out.
"""

from __future__ import annotations

import re
from pathlib import Path

from toolsync.config.series import is_later
from toolsync.model.release import Finding

_TOOL = "dpkg-dev"
_ENTRY = r"dpkg-dev\s*\(>=[^)|,]*\)(?:\s*(?:\[[^]]*\]|<[^>]*>))*"
_FLOOR = re.compile(rf"(?<=[:,])\s*({_ENTRY})\s*,|,\s*({_ENTRY})(?=\s*(?:\n\S|\Z))")
"""An entry with one of its commas; dpkg-dev is build-essential, so that nobody has to name it."""


def is_lowered(names: tuple[str, ...], origin: str, series: str) -> bool:
    """Say whether a relation to ``names`` is no matter to a backport from ``origin``."""
    return set(names) == {_TOOL} and is_later(origin, series)


def lower_floors(debian: Path, origin: str, series: str) -> tuple[Finding, ...]:
    """Take floors under dpkg-dev out of what a later series' packaging is built with; say so."""
    path = debian / "control"
    if not is_later(origin, series) or not path.is_file():
        return ()
    text = path.read_text(encoding="utf-8", errors="surrogateescape")
    head, blank, rest = text.partition("\n\n")
    found = list(dict.fromkeys(one or other for one, other in _FLOOR.findall(head)))
    if not found:
        return ()
    path.write_text(_FLOOR.sub("", head) + blank + rest, "utf-8", "surrogateescape")
    said = (
        f"it is built with {series}'s own dpkg-dev, for that series' ABI; {origin}'s packaging asks"
        f" for {', '.join(found)}"
    )
    return (Finding(stage="package", code="build-floor", severity="risky", message=said),)
