"""Run one stage, or answer from the journal when its inputs are what they were.

A result depends on the inputs that its stage names and on the stage's rules, whose number is
raised (`stages`) when the same inputs may come to another result. toolsync's own version is no
input: an upgrade must not rebuild what is published.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from toolsync.journal.journal import Journal
from toolsync.journal.key import Key
from toolsync.journal.results import Result
from toolsync.model.errors import HOLDS, Held, SetupError, TryAgain, hold_word
from toolsync.model.judgment import Judgment
from toolsync.model.release import Blob, Verified, dump, load
from toolsync.pipeline.accepted import parts_of
from toolsync.system.clock import Clock, stamp
from toolsync.system.store import Store
from toolsync.system.underway import step

P = TypeVar("P")
"""The value that a stage takes."""
V = TypeVar("V")
"""The value that it gives."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept(Generic[P, V]):
    """How a stage's value is kept in the journal."""

    name: str
    """One of `Gates.stages`."""
    rules: int
    """Raised when the same inputs may come to another result."""
    value: type[V]
    wraps: str
    """The field of the value that holds the one before it, which is kept by its own stage."""
    costly: bool = False
    """Never tried again by itself while nothing that it depends on has changed."""


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


class Remembers(Protocol):
    """What the stages' values are asked of: the journal's memory, or none."""

    @property
    def retry(self) -> bool:
        """Whether a person asks to try again what failed, though nothing has changed."""
        ...

    def do(
        self,
        stage: Kept[P, V],
        key: Key,
        before: P,
        inputs: Callable[[], Mapping[str, object]],
        act: Callable[[], V],
        *,
        fresh: bool = False,
    ) -> V:
        """Return the stage's value, which ``act`` makes of ``before``."""
        ...

    def recall(self, stage: Kept[P, V], known: Result, before: P) -> V | None:
        """Return a remembered value, None where there is none that could be used."""
        ...

    def accept(self, item: Verified) -> None:
        """Pin the bytes of a release that was proved."""
        ...

    def judged(self, key: Key, inputs: str, said: Judgment) -> None:
        """Keep what a gate says."""
        ...

    def retrying(self, retry: bool) -> Remembers:
        """Return the same that tries again what failed, or does not."""
        ...

    def tell(self, event: Event) -> None:
        """Tell whoever watches."""
        ...


@dataclass(frozen=True, slots=True)
class Memory:
    """Keeps what stages come to in one journal."""

    journal: Journal
    store: Store
    clock: Clock
    teller: Tell
    retry: bool = False

    def do(
        self,
        stage: Kept[P, V],
        key: Key,
        before: P,
        inputs: Callable[[], Mapping[str, object]],
        act: Callable[[], V],
        *,
        fresh: bool = False,
    ) -> V:
        """Return the stage's value: remembered if it can be, else made and remembered.

        With ``fresh`` the stage runs whatever the journal says. What ``act`` raises goes on up;
        a hold is remembered with its reason, and with where its log lies.
        """
        wanted = fingerprint({"rules": stage.rules, **inputs()})
        known = self.journal.results.get(key)
        if known is not None and known.inputs == wanted and not fresh:
            value = self.recall(stage, known, before)
            if value is not None:
                return value
            if known.outcome == "held" and stage.costly and not self.retry:
                kind = HOLDS.get(known.kind, Held)
                raise kind(known.message, resolution=known.resolution)
        started = stamp(self.clock.now())
        self.say(key, "…")
        try:
            with step(_label(key)):
                value = act()
        except Held as error:
            self._hold(key, wanted, known, error, started)
            raise
        except (SetupError, TryAgain) as error:
            event = "later" if isinstance(error, TryAgain) else "error"
            self.journal.log.add(key, event, str(error))
            raise
        data = dump(value, without=stage.wraps)
        self.journal.results.record(key, inputs=wanted, outcome="done", started=started, data=data)
        return value

    def _hold(self, key: Key, wanted: str, known: Result | None, error: Held, started: str) -> None:
        """Keep what holds a release, unless it is held as it was before, which is no news."""
        word = hold_word(error)
        if known is not None and (known.inputs, known.outcome, known.message, known.kind) == (
            *(wanted, "held", str(error), word),
        ):
            return
        log = error.log
        told = {"log": {**dump(log), "path": str(self.store.where(log))}} if log else {}
        self.journal.results.record(
            key,
            inputs=wanted,
            outcome="held",
            started=started,
            data=told,
            message=str(error),
            resolution=error.resolution,
            kind=word,
        )

    def recall(self, stage: Kept[P, V], known: Result, before: P) -> V | None:
        """Return a remembered value, or None if it was held or its files are gone."""
        if known.outcome != "done":
            return None
        try:
            wrapped = {stage.wraps: before} if stage.wraps else {}
            value = load(stage.value, known.data, **wrapped)
        except (TypeError, ValueError, KeyError):
            return None  # written by another version: make it anew
        if not all(map(self.store.has, _blobs(value, but=stage.wraps))):
            return None
        self.say(known.key, f"as on {known.finished}", detail=True)
        return value

    def accept(self, item: Verified) -> None:
        """Pin the bytes of a release that was proved; the first ones stay for ever."""
        release, fetched = item.release, item.fetched
        self.journal.releases.accept(
            release.tool, release.version, fetched.archive.sha256, parts_of(fetched, item)
        )

    def judged(self, key: Key, inputs: str, said: Judgment) -> None:
        """Keep what a gate says, by which people decide."""
        self.journal.judgments.keep(key, inputs, said)

    def retrying(self, retry: bool) -> Remembers:
        """Return the same memory that tries again what failed, or does not."""
        return dataclasses.replace(self, retry=retry)

    def tell(self, event: Event) -> None:
        """Tell whoever watches."""
        self.teller(event)

    def say(self, key: Key, text: str, *, detail: bool = False) -> None:
        """Tell whoever watches how far a stage is."""
        self.teller(
            Event(
                tool=key.tool,
                version=key.version,
                stage=key.stage,
                scope=key.scope,
                text=text,
                detail=detail,
            )
        )


@dataclass(frozen=True, slots=True)
class NoMemory:
    """Does every stage, and writes nothing down: for a person's own use of a release."""

    teller: Tell
    retry: bool = False

    def do(
        self,
        stage: Kept[P, V],
        key: Key,
        before: P,
        inputs: Callable[[], Mapping[str, object]],
        act: Callable[[], V],
        *,
        fresh: bool = False,
    ) -> V:
        """Return what the stage gives."""
        return act()

    def recall(self, stage: Kept[P, V], known: Result, before: P) -> V | None:
        """Return None: nothing is remembered."""
        return None

    def accept(self, item: Verified) -> None:
        """Do nothing: the next one who asks decides anew."""

    def judged(self, key: Key, inputs: str, said: Judgment) -> None:
        """Do nothing: who asks is told."""

    def retrying(self, retry: bool) -> Remembers:
        """Return itself: everything is done each time."""
        return self

    def tell(self, event: Event) -> None:
        """Tell whoever watches."""
        self.teller(event)


def _label(key: Key) -> str:
    scope = f" [{key.scope}]" if key.scope else ""
    return f"{key.tool} {key.version}: {key.stage}{scope}"


def fingerprint(inputs: Mapping[str, object]) -> str:
    """Return a digest of JSON-able inputs."""
    return hashlib.sha256(_ENCODER.encode(inputs).encode()).hexdigest()


def _plain(value: object) -> object:
    if dataclasses.is_dataclass(value):
        return dump(value)
    raise TypeError(f"{type(value).__name__} cannot be an input")


_ENCODER = json.JSONEncoder(sort_keys=True, default=_plain)


def _blobs(value: object, but: str = "") -> Iterator[Blob]:
    """Give the files that a value names, but for those of the value before it."""
    if isinstance(value, Blob):
        yield value
    elif isinstance(value, tuple):
        for part in value:
            yield from _blobs(part)
    elif dataclasses.is_dataclass(value):
        for field in dataclasses.fields(value):
            if field.name != but:
                yield from _blobs(getattr(value, field.name))
