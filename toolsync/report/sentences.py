"""The sentences that tell where a tool stands: what happened, why it matters, what to do.

They are put together once, for terminal, page, mail and API; what each status means in general is
in `model.meanings`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from toolsync.model.meanings import HOLDS, STATUSES, Meaning
from toolsync.model.release import Outcome

_HELD = re.compile(r"(?P<version>\S+) is held at (?P<stage>[a-z]+): (?P<rest>.*)", re.DOTALL)
"""How `pipeline.status` tells of a hold."""
_DIGEST = re.compile(r"\b([0-9a-f]{12})[0-9a-f]{28,116}\b")
_MOMENT = re.compile(r"\b(\d{4}-\d\d-\d\d)T(\d\d:\d\d):\d\dZ")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sentence:
    """What a person is told."""

    happened: str
    matters: str
    """Empty where nothing needs to be said."""
    todo: str
    """Likewise."""

    @property
    def text(self) -> str:
        """All of it in a row."""
        return " ".join(filter(None, (self.happened, self.matters, self.todo)))


def sentence(
    tool: str, status: str, message: str, resolution: str = "", *, newest: str = ""
) -> Sentence:
    """Return what is to be told of a tool that came to this status, message and resolution."""
    stage, happened = _happened(tool, newest, status, message)
    meaning = HOLDS.get(stage) or STATUSES.get(status) or _UNKNOWN
    return Sentence(
        happened=happened if happened.endswith((".", "!", "…")) else f"{happened}.",
        matters=meaning.matters,
        todo=_ended(plain(resolution)) or ("" if status == "up-to-date" else meaning.todo),
    )


_UNKNOWN = Meaning(what="", matters="", todo="")


def of_outcome(outcome: Outcome) -> Sentence:
    """Return what is to be told of an outcome."""
    return sentence(
        outcome.tool,
        outcome.status,
        outcome.message,
        outcome.resolution,
        newest=outcome.newest or "",
    )


def cause_of(message: str) -> str:
    """Return why something is held, without which release and where; else the message."""
    found = _HELD.fullmatch(message)
    return found["rest"] if found else message


def plain(text: str) -> str:
    """Return a text for people: digests by their beginning, times without their machine's form."""
    return _MOMENT.sub(r"\1 \2 UTC", _DIGEST.sub(r"\1…", text))


def _happened(tool: str, newest: str, status: str, message: str) -> tuple[str, str]:
    """Return the stage that holds a tool's release, if one does, and what has happened."""
    found = _HELD.fullmatch(message) if status == "held" else None
    if found is None:
        return "", plain(message)
    version, stage = found["version"], found["stage"]
    rest = found["rest"].removeprefix(f"{tool} {version}: ").removeprefix(f"{tool} {newest}: ")
    rest = rest.removeprefix("license terms: ")
    head = HOLDS[stage].what if stage in HOLDS else STATUSES["held"].what
    return stage, f"{version} waits for a person. {head[:-1]}: {plain(rest)}"


def _ended(text: str) -> str:
    """Return a text as a sentence: with a capital letter, and an end."""
    text = text.strip()
    if not text:
        return ""
    begun = text[0].upper() + text[1:] if text[:6].isalpha() else text
    return begun if begun.endswith((".", "!", "?", ":", "…")) else f"{begun}."
