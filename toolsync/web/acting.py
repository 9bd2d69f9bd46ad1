"""What changes something, or wants rights that the pages may lack: done here, or behind the door.

On one's own machine the server does it itself. As a service (TOOLSYNC_DOOR names a socket) it is a
user of its own, which may read the state and no more; what is to be changed or computed is then
done by ``toolsync errand`` behind that door, by the same functions.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

from toolsync.config.definition import Tool
from toolsync.journal.decisions import APPROVED
from toolsync.maintain.errand import Done, error_of
from toolsync.maintain.forpages import AT_ONCE, Examined, examined, stanzas
from toolsync.maintain.overview import mark_of
from toolsync.model.values import dump, load
from toolsync.pipeline.changes import changes_of
from toolsync.pipeline.context import Context
from toolsync.pipeline.review import decide
from toolsync.pipeline.survey import look_at_all
from toolsync.system import door
from toolsync.system.clock import Clock
from toolsync.system.promise import NAME as PROMISE

_DIGEST = re.compile("[0-9a-f]{64}")
_NONE = "0" * 64
"""The digest of nothing that was ever shown."""
_NAMES = 20
"""Tools whose pages one errand looks at."""
_AGAIN, _MOST = 600.0, 10_000
"""Seconds until what did not come is asked for again, and how many digests of such are known."""
Open = Callable[[], AbstractContextManager[Context]]
Decided = Sequence[Mapping[str, object]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What a person says of a release, as it was shown."""

    tool: str
    version: str
    verdict: str
    who: str
    reason: str
    shown: str
    """The fingerprint of what was shown."""


class Acting(Protocol):
    """Who does what the pages ask for."""

    @property
    def reads(self) -> bool:
        """Whether the pages themselves may read the state and no more."""

    def decide(self, context: Context, said: Verdict) -> Decided:
        """Keep a decision; raises what `pipeline.review.decide` raises."""

    def look(self, open_: Open, tools: Sequence[Tool]) -> None:
        """Look at the pages of tools, and remember what they gave."""

    def compare(self, open_: Open, tool: Tool, version: str) -> None:
        """Compute what differs in a release, and keep it."""

    def bring(self, tool: str, version: str, lacking: Collection[str]) -> bool:
        """Have brought what the pages of a tool show, and of one ``version`` where that is named.

        ``lacking`` are digests that are not here. Says whether some of them may be here now.
        """

    def examine(self, open_: Open) -> Examined:
        """Have the doctor look."""

    def stanzas(self, context: Context) -> Mapping[str, str]:
        """Return the stanza of each series that the archive serves; it asks no other server."""


class Here:
    """Done in this process."""

    reads = False

    def decide(self, context: Context, said: Verdict) -> Decided:
        """Keep a decision in the journal."""
        made = decide(
            context.journal,
            said.tool,
            said.version,
            verdict=said.verdict,
            who=said.who,
            reason=said.reason,
            shown=said.shown,
        )
        return [dump(one) for one in made]

    def look(self, open_: Open, tools: Sequence[Tool]) -> None:
        """Look at them, as ``toolsync check`` does."""
        with open_() as context:
            look_at_all(context, tools, context.config.jobs)

    def compare(self, open_: Open, tool: Tool, version: str) -> None:
        """Compute it; it is kept by that."""
        with open_() as context:
            changes_of(context, tool, version)

    def bring(self, tool: str, version: str, lacking: Collection[str]) -> bool:
        """Bring nothing: this process goes to the shared place itself."""
        return False

    def examine(self, open_: Open) -> Examined:
        """Look, as ``toolsync doctor`` does."""
        with open_() as context:
            return examined(context)

    def stanzas(self, context: Context) -> Mapping[str, str]:
        """Return them as the keys here have it."""
        return stanzas(context)


class Behind:
    """Done behind the door, by whoever may."""

    reads = True

    def __init__(self, clock: Clock) -> None:
        """Know nothing yet."""
        self._clock = clock
        self._stanzas: tuple[object, Mapping[str, str]] = (None, {})
        self._wanted: dict[str, float] = {}
        """When what was lacking was asked for."""

    def decide(self, context: Context, said: Verdict) -> Decided:
        """Have a decision kept, as the kernel lets nobody else ask for it."""
        found = _asked(
            "approve" if said.verdict == APPROVED else "reject",
            tool=said.tool,
            version=said.version,
            who=said.who,
            reason=" ".join(said.reason.split()),
            shown=said.shown if _DIGEST.fullmatch(said.shown) else _NONE,
        )
        made = found.get("decisions")
        return made if isinstance(made, list) else []

    def look(self, open_: Open, tools: Sequence[Tool]) -> None:
        """Have them looked at, some at a time."""
        names = [tool.name for tool in tools]
        for start in range(0, len(names), _NAMES):
            _asked("look", tools=" ".join(names[start : start + _NAMES]))

    def compare(self, open_: Open, tool: Tool, version: str) -> None:
        """Have it computed, and kept where it is read."""
        _asked("compare", tool=tool.name, version=version)

    def bring(self, tool: str, version: str, lacking: Collection[str]) -> bool:
        """Have it brought by whoever may; what was asked for lately and did not come is gone."""
        now = self._clock.monotonic()
        if all(now < self._wanted.get(digest, now - _AGAIN) + _AGAIN for digest in lacking):
            return False
        _asked("bring", tool=tool, **({"version": version} if version else {}))
        if len(self._wanted) > _MOST:
            self._wanted.clear()
        self._wanted |= dict.fromkeys(lacking, now)
        return True

    def examine(self, open_: Open) -> Examined:
        """Have the service look at itself: what the pages lack is no fault of its set-up."""
        return load(Examined, _asked("doctor"))

    def stanzas(self, context: Context) -> Mapping[str, str]:
        """Have them told: the public key lies with the secret one.

        Once for each set-up of the archive, key and series; what was told by half is asked again.
        """
        config = context.config
        found = ((name, config.archive / "dists" / name / "InRelease") for name in config.series)
        served = [name for name, path in found if path.exists()]
        promise = mark_of(config.archive / "conf" / PROMISE)
        mark = (config.target, config.local, served, promise)
        if not served or mark == self._stanzas[0]:
            return self._stanzas[1] if served else {}
        told = {name: str(text) for name, text in _asked("stanzas").items()}
        if told.keys() >= set(served):
            self._stanzas = mark, told
        return told


def acting(clock: Clock) -> Acting:
    """Return who does what this server is asked for."""
    return Behind(clock) if os.environ.get(door.SOCKET) else Here()


def _asked(act: str, *, who: str = "the pages", **fields: str) -> Mapping[str, object]:
    """Return what the door answers with; raise the error that it tells of."""
    question = {"act": act, "who": who, **fields}
    done = load(Done, door.ask(question, (), _unheard, AT_ONCE[act].seconds))
    if not done.fine:
        raise error_of(done)
    return done.found or {}


def _unheard(_: str) -> None:
    """Tell nobody: a page waits for the end."""
