"""Run one stage, or answer from the journal when its inputs are what they were.

A result depends on the inputs that the caller names and on the stage's rules, whose number
is raised here when the same inputs may come to another result. toolsync's own version is no
input: an upgrade must not rebuild what is published.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from toolsync.journal.journal import Journal
from toolsync.journal.records import Key, Result
from toolsync.model import errors
from toolsync.model.errors import Held, SetupError, TryAgain
from toolsync.model.judgment import Judgment
from toolsync.model.release import Blob, dump, load
from toolsync.system.clock import Clock, stamp
from toolsync.system.store import Store

T = TypeVar("T")

RULES: Mapping[str, int] = {
    "fetch": 1,
    "verify": 1,
    "unpack": 1,
    "license": 2,
    "compat": 2,
    "package": 1,
    "build": 1,
    "publish": 1,
    "confirm": 1,
}

_STUBBORN = frozenset({"build"})
"""Stages too costly to try again while nothing that they depend on has changed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that a person watching a run wants to hear."""

    tool: str
    version: str
    stage: str
    scope: str
    text: str
    detail: bool = False
    """Of interest only to who wants to hear everything."""


Tell = Callable[[Event], None]


@dataclass(frozen=True, slots=True)
class Steps:
    """Runs stages against one journal."""

    journal: Journal
    store: Store
    clock: Clock
    tell: Tell
    retry: bool = False
    """Try again what failed before, though nothing that it depends on has changed."""

    def do(
        self,
        key: Key,
        cls: type[T],
        predecessor: Mapping[str, object],
        inputs: Mapping[str, Any],
        act: Callable[[], T],
        *,
        fresh: bool = False,
    ) -> T:
        """Return the stage's value: remembered if it can be, else made and remembered.

        ``predecessor`` holds the one field of ``cls`` that wraps the value before it. With
        ``fresh`` the stage runs whatever the journal says. What ``act`` raises goes on up;
        a hold is remembered with its reason, and with where its log lies.
        """
        wanted = fingerprint({"rules": RULES[key.stage], **inputs})
        known = self.journal.result(key)
        if known is not None and known.inputs == wanted and not fresh:
            value = self.recall(known, cls, predecessor)
            if value is not None:
                return value
            if known.outcome == "held" and key.stage in _STUBBORN and not self.retry:
                raise _held_before(known)
        started = stamp(self.clock.now())
        self.say(key, "…")
        try:
            value = act()
        except Held as error:
            if not _is_same(known, wanted, error):
                self.journal.record(
                    key,
                    inputs=wanted,
                    outcome="held",
                    started=started,
                    data=self._log_of(error),
                    message=str(error),
                    resolution=error.resolution,
                    kind=type(error).__name__,
                )
            raise
        except (SetupError, TryAgain) as error:
            event = "later" if isinstance(error, TryAgain) else "error"
            self.journal.log(key, event, str(error))
            raise
        (wrapped,) = predecessor
        data = dump(value, without=wrapped)
        self.journal.record(key, inputs=wanted, outcome="done", started=started, data=data)
        return value

    def _log_of(self, error: Held) -> Mapping[str, Any]:
        if error.log is None:
            return {}
        return {"log": {**dump(error.log), "path": str(self.store.path(error.log))}}

    def recall(self, known: Result, cls: type[T], predecessor: Mapping[str, object]) -> T | None:
        """Return a remembered value, or None if it was held or its files are gone."""
        if known.outcome != "done":
            return None
        try:
            value = load(cls, known.data, **predecessor)
        except (TypeError, ValueError, KeyError):
            return None  # written by another version: make it anew
        if not all(map(self.store.has, _blobs(value, predecessor))):
            return None
        self.say(known.key, f"as on {known.finished}", detail=True)
        return value

    def say(self, key: Key, text: str, *, detail: bool = False) -> None:
        """Tell whoever watches."""
        self.tell(
            Event(
                tool=key.tool,
                version=key.version,
                stage=key.stage,
                scope=key.scope,
                text=text,
                detail=detail,
            )
        )


def fingerprint(inputs: Mapping[str, Any]) -> str:
    """Return a digest of JSON-able inputs."""
    text = json.dumps(inputs, sort_keys=True, default=_plain)
    return hashlib.sha256(text.encode()).hexdigest()


def _plain(value: object) -> object:
    if dataclasses.is_dataclass(value):
        return dump(value)
    raise TypeError(f"{type(value).__name__} cannot be an input")


def _held_before(known: Result) -> Held:
    kind = getattr(errors, known.kind, Held)
    found: Held = kind(known.message, resolution=known.resolution)
    return found


def _is_same(known: Result | None, wanted: str, error: Held) -> bool:
    """Say whether a stage is held as it was before, which is no news for the log."""
    return (
        known is not None
        and (known.inputs, known.outcome) == (wanted, "held")
        and (known.message, known.kind) == (str(error), type(error).__name__)
    )


def _blobs(value: object, predecessor: Mapping[str, object]) -> Iterator[Blob]:
    assert dataclasses.is_dataclass(value)
    for field in dataclasses.fields(value):
        if field.name in predecessor:
            continue
        item = getattr(value, field.name)
        for part in item if isinstance(item, tuple) else (item,):
            if isinstance(part, Blob):
                yield part
            elif isinstance(part, Judgment):
                yield from _blobs(part, {})
