"""What can be asked for, and what came of it, as values; a question is checked."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING

from toolsync.model.errors import (
    Busy,
    Changed,
    Damaged,
    Hostile,
    OutOfSpace,
    ProgramMissing,
    SetupError,
    ToolsyncError,
    TooMuch,
    TryAgain,
    UsageError,
)
from toolsync.model.values import WHILE_FILLED

if TYPE_CHECKING:
    from toolsync.pipeline.context import Context

Tell = Callable[[str], None]
_DIGEST = re.compile("[0-9a-f]{64}")
_LONGEST = 2000
"""Characters of anything that is asked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Errand:
    """Something that a person asks for."""

    act: str
    """One of `errands.ACTS` or `errands.AT_ONCE`."""
    who: str
    tool: str = ""
    tools: str = ""
    """The names of several, apart by blanks."""
    version: str = ""
    reason: str = ""
    url: str = ""
    """The address of a release page."""
    name: str = ""
    """What the tool of that page is to be called; empty for what the page tells."""
    shown: str = ""
    """The digest of what was shown: a definition that is to be written, a release in review."""
    number: str = ""
    """Under which the pages remember it."""
    early: bool = False
    """Whether a release is promoted though it has not been in staging for its time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """What came of it."""

    fine: bool
    message: str
    resolution: str = ""
    proposal: Mapping[str, object] | None = None
    """A definition that was found, and not written."""
    kind: str = field(default="", metadata=WHILE_FILLED)
    """What error it ended with, by the name of its class."""
    found: Mapping[str, object] | None = field(default=None, metadata=WHILE_FILLED)
    """What a page asked to be told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """One kind of errand."""

    do: Callable[[Context, Errand, Tell], Done]
    needs: tuple[str, ...]
    """The fields that must not be empty."""
    lock: str
    """For what the state is held alone; empty where it is not."""
    words: str
    """What a person reads of it while it goes on."""
    seconds: float


def errand_of(question: Mapping[str, object], needs: Mapping[str, Sequence[str]]) -> Errand:
    """Return what somebody asks for; raise UsageError where it cannot mean anything.

    ``needs`` are the fields that must not be empty, by what may be asked for.
    """
    known = {one.name for one in fields(Errand)}
    if odd := sorted(set(question) - known)[:1]:
        raise UsageError(f"{odd[0][:40]!r} is nothing that can be asked")
    flag = question.get("early", False)
    texts = {name: value for name, value in question.items() if name != "early"}
    given = {name: value for name, value in texts.items() if isinstance(value, str)}
    if given.keys() != texts.keys() or not isinstance(flag, bool):
        raise UsageError("what was asked is no text where one is wanted")
    for name, value in given.items():
        if len(value) > _LONGEST or not value.isprintable():
            raise UsageError(f"{name} has more than {_LONGEST} characters, or unprintable ones")
    errand = Errand(**{"act": "", "who": ""} | given, early=flag)
    return _complete(errand, needs)


def _complete(errand: Errand, needs: Mapping[str, Sequence[str]]) -> Errand:
    if errand.act not in needs:
        raise UsageError(f"{errand.act[:40]!r} cannot be asked; wanted: {', '.join(needs)}")
    for name in ("who", *needs[errand.act]):
        if not getattr(errand, name).strip():
            raise UsageError(f"{name} is empty; it is needed to {errand.act}")
    if errand.url and not errand.url.startswith(("http://", "https://")):
        raise UsageError(
            f"{errand.url[:200]!r} is no address; wanted: one that begins with http:// or https://",
            resolution="Name the page on which releases appear.",
        )
    if errand.shown and not _DIGEST.fullmatch(errand.shown):
        raise UsageError("shown is no digest of what was shown; wanted: 64 hexadecimal digits")
    if errand.number and not re.fullmatch("[0-9]{1,9}", errand.number):
        raise UsageError("number is none; wanted: at most nine digits")
    for name in (errand.tool, *errand.tools.split()):
        if "/" in name or name.startswith("."):
            raise UsageError(f"{name[:80]!r} is no tool's name")
    return errand


def failed(error: ToolsyncError) -> Done:
    """Return what is told of an error."""
    kind = type(error).__name__
    return Done(fine=False, message=str(error), resolution=error.resolution, kind=kind)


_KINDS: Mapping[str, type[ToolsyncError]] = {
    kind.__name__: kind
    for kind in (
        *(Busy, Changed, Damaged, Hostile, OutOfSpace, ProgramMissing, SetupError, TooMuch),
        *(TryAgain, UsageError),
    )
}


def error_of(done: Done) -> ToolsyncError:
    """Return the error that something ended with, which another process was told of."""
    kind = _KINDS.get(done.kind, ToolsyncError)
    return kind(done.message, resolution=done.resolution)
