"""A log as a history: what was done for one release, step after step, is one event in words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from toolsync.journal.log import Entry

_WORDS = {
    "fetch": "fetched",
    "verify": "verified",
    "unpack": "unpacked",
    "binding": "its version judged",
    "license": "its terms passed",
    "package": "packaged",
    "build": "built",
    "compat": "compared with what users have",
    "publish": "sent",
    "confirm": "published",
}
"""What is done when a stage is, by the stage."""
_ORDER = tuple(_WORDS)
_WAITS = ("held", "error", "rejected", "later")


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that happened to a release."""

    at: str
    tool: str
    version: str
    word: str
    places: Sequence[str]
    """For which series, or where."""
    waits: bool
    """Whether it stopped the release."""
    entries: Sequence[Entry]
    """The lines that it is made of, newest first."""


def history(entries: Sequence[Entry]) -> list[Event]:
    """Return events, newest first as the lines of the log are; steps that were done are joined."""
    return list(_events(entries))


def _events(entries: Sequence[Entry]) -> Iterator[Event]:
    for (tool, version, done), group in groupby(
        entries, key=lambda e: (e.tool, e.version, e.event in ("done", "skipped"))
    ):
        lines = list(group)
        if done:
            yield _joined(tool, version, lines)
            continue
        for line in lines:
            yield Event(
                at=line.at,
                tool=tool,
                version=version,
                word=line.event,
                places=[" ".join(filter(None, (line.stage, line.scope)))] if line.stage else [],
                waits=line.event in _WAITS,
                entries=[line],
            )


def _joined(tool: str, version: str, lines: Sequence[Entry]) -> Event:
    """Return the event of steps that were done; how far they came is its word."""
    known = [line for line in lines if line.stage in _ORDER]
    last = max((_ORDER.index(line.stage) for line in known), default=-1)
    stage = _ORDER[last] if last >= 0 else lines[0].stage
    series = {line.scope.partition("/")[0] for line in known if line.stage == stage and line.scope}
    return Event(
        at=lines[0].at,
        tool=tool,
        version=version,
        word=_WORDS.get(stage, "done"),
        places=sorted(series),
        waits=False,
        entries=lines,
    )
