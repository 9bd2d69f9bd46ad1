"""Something that reviewers have asked for, as this server knows it or as the log tells."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from toolsync.journal.log import ASKED, ENDED
from toolsync.journal.log import Entry as Line
from toolsync.maintain.errand import Done
from toolsync.maintain.errands import ACTS, FINE_WORD, NOT
from toolsync.model.values import dump
from toolsync.system.clock import parsed

_SAID = re.compile(rf"by (.+?): ({'|'.join(ACTS)})(?: (.*)|)", re.DOTALL)
"""What the log tells of something that was asked for: who, what, and its reason or address."""
WAITS, GOES, DONE, FAILED = "waits", "under way", "done", "not done"
_LINES = 200
"""What is kept of what is told meanwhile."""


@dataclass(slots=True, kw_only=True)
class Entry:
    """One errand."""

    number: int
    question: Mapping[str, object]
    at: str
    state: str = WAITS
    lines: deque[str] = field(default_factory=lambda: deque(maxlen=_LINES))
    """What was told of it, oldest first."""
    came: Done | None = None
    before: bool = False
    """Whether another server than this one has asked for it."""

    @property
    def over(self) -> bool:
        """Whether nothing more will come."""
        return self.state in (DONE, FAILED)

    @property
    def words(self) -> str:
        """What was asked, for a person."""
        about = self.text("tool") or self.text("url")
        version = self.text("version")
        return f"{ACTS[self.text('act')].words}: {about}" + (f" {version}" if version else "")

    def text(self, name: str) -> str:
        """Return a part of the question, empty where it has none."""
        return str(self.question.get(name, ""))

    def does(self, question: Mapping[str, object]) -> bool:
        """Say whether this does what ``question`` asks for, whoever asks.

        Of what an earlier server was asked for no more is known than the log tells.
        """
        return _told_of(self.question, self.before) == _told_of(question, self.before)


def _told_of(question: Mapping[str, object], by_log: bool) -> Mapping[str, object]:
    """Return what counts of a question: all that is said, or what the log tells of it."""
    said = {name: value for name, value in question.items() if value and name != "who"}
    if not by_log:
        return said
    told = ("act", "tool", "version", "url" if said.get("url") else "reason")
    if "tool" not in said and "name" in said:
        said["tool"] = said["name"]
    return {name: said[name] for name in told if name in said}


def told(lines: Sequence[Line], now: datetime, *, outlive: bool) -> Iterator[Entry]:
    """Yield what lines of the log tell, newest first."""
    ends = {line.scope: line for line in lines if line.event == ENDED}
    for line in lines:
        said = _SAID.fullmatch(line.message)
        if line.event != ASKED or said is None or not re.fullmatch("[0-9]{1,9}", line.scope):
            continue
        who, act, rest = said.groups()
        question = {"act": act, "who": who, "tool": line.tool, "version": line.version}
        question["url" if "url" in ACTS[act].needs else "reason"] = rest or ""
        entry = Entry(number=int(line.scope), question=question, at=line.at, before=True)
        late = now - parsed(line.at) > timedelta(seconds=ACTS[act].seconds)
        entry.came = _came(ends.get(line.scope), outlive=outlive and not late)
        entry.state = GOES if entry.came is None else DONE if entry.came.fine else FAILED
        yield entry


def _came(end: Line | None, *, outlive: bool) -> Done | None:
    """Return what something came to, None while it may be under way."""
    if end is None and outlive:
        return None
    if end is None:
        return Done(fine=False, message="it was ended before it came to anything")
    fine = end.message.startswith(FINE_WORD)
    return Done(fine=fine, message=end.message.removeprefix(FINE_WORD if fine else NOT))


def as_object(entry: Entry) -> dict[str, object]:
    """Return an errand as the API has it."""
    asked = {name: value for name, value in entry.question.items() if value}
    return {
        "number": entry.number,
        "asked": asked,
        "at": entry.at,
        "state": entry.state,
        "lines": list(entry.lines),
        "came": dump(entry.came) if entry.came else None,
    }
