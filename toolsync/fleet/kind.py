"""What a kind of task must bring: its record.

A kind is one file with one record and one line in `kinds.KINDS`. The coordinator, the worker, the
list of what was given up and the overview know kinds by their records alone.
"""

from __future__ import annotations

import hashlib
import json
import math
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from toolsync.build.chroot import Chroots
from toolsync.config.settings import Config, Limits
from toolsync.http.client import Http
from toolsync.model.values import dump
from toolsync.system.store import Store
from toolsync.system.work import Workshop

Q = TypeVar("Q")
"""The question: a frozen value of the model, sent as JSON."""
A = TypeVar("A")
"""The answer: likewise, or what it is worth once it was judged."""

FORM = 1
"""Of questions and answers; raised when an older worker could not read them."""
Doer = Callable[[object], object]
"""Reads a question as it came by the broker, does it, and returns a value of the model."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """What a worker has to do tasks with: its own settings, and no key and no journal."""

    config: Config
    store: Store
    workshop: Workshop
    chroots: Chroots
    http: Http | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind(Generic[Q, A]):
    """One kind of task: what is asked, who can do it, and what of an answer is believed."""

    name: str
    about: Callable[[Q], str]
    """Names a question's subject for people."""
    queue: Callable[[Q], str]
    """The queue of those who can do it."""
    queues: Callable[[Config], Sequence[str]]
    """The queues that a machine with these settings can serve; none where it lacks a program."""
    read: Callable[[object], Q]
    """Reads a question that came by the broker; raises Hostile where it is none."""
    do: Callable[[Q, Machine], object]
    """Does it on a worker, and returns a value of the model."""
    judge: Callable[[Q, object, Store, Limits], A]
    """Returns what an answer is worth; raises Hostile for a lie."""
    here: bool = False
    """Whether the coordinator does it itself where no worker does it soon."""
    once: bool = False
    """Whether an answer counts for whoever asked alone, and is forgotten when it was taken."""
    most: int = 4 * 1024 * 1024
    """Bytes of an answer."""
    seconds: float = math.inf
    """Until a worker must have done it, where [fleet] seconds is not less."""

    def doer(self, machine: Machine) -> Doer:
        """Return what does such tasks on a machine."""
        return lambda data: self.do(self.read(data), machine)

    def subject(self, data: object) -> str:
        """Name for people what a question is about that came by the broker."""
        return self.about(self.read(data))

    def first(self, data: object) -> tuple[str, str]:
        """Return the id of a question's first try, and its queue."""
        asked = self.read(data)
        return self.task(self.fingerprint(asked), 0), self.queue(asked)

    def task(self, known: str, number: int) -> str:
        """Return the id of one try: the same for the same question, whoever asks."""
        return str(uuid.uuid5(uuid.NAMESPACE_OID, f"{known}/{number}"))

    def fingerprint(self, asked: Q) -> str:
        """Return the SHA-256 of a question: the same question is asked once."""
        data = [self.name, FORM, dump(asked)]
        return hashlib.sha256(json.dumps(data, sort_keys=True).encode()).hexdigest()


class AnyKind(Protocol):
    """What is used of kinds where it does not matter what they ask."""

    @property
    def name(self) -> str:
        """Its word in messages and settings."""

    @property
    def queues(self) -> Callable[[Config], Sequence[str]]:
        """The queues that a machine with these settings can serve."""

    def doer(self, machine: Machine) -> Doer:
        """Return what does such tasks on a machine."""

    def subject(self, data: object) -> str:
        """Name for people what a question is about; raises Hostile where it is none."""

    def first(self, data: object) -> tuple[str, str]:
        """Return the id of a question's first try, and its queue; raises likewise."""
