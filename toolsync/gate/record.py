"""The record of a gate, and what a gate is given to judge."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

from toolsync.config.definition import Tool
from toolsync.config.settings import Config
from toolsync.model.judgment import Judgment
from toolsync.model.release import Blob
from toolsync.system.store import Store
from toolsync.system.work import Workshop

S = TypeVar("S")
"""What is judged: `Unpacked` before a package is made, `Built` or `SourcePackage` after."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked(Generic[S]):
    """A release at a gate, and all that may be used to judge it."""

    item: S
    tool: Tool
    config: Config
    store: Store
    workshop: Workshop
    before: Blob | None
    """What the gate kept of the last accepted release, None for the first."""
    before_version: str
    approved: frozenset[str]
    """Digests that a person approved in earlier releases, see `Judgment.carries`."""


def _no_policy(_tool: Tool, _config: Config) -> object:
    return []


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate(Generic[S]):
    """One gate: what it looks at, and how it judges."""

    name: str
    """Its word among the stages, in evidence and in decisions."""
    rules: int
    """Raised when the same inputs may come to another judgment."""
    judge: Callable[[Asked[S]], Judgment]
    inputs: Callable[[S], Mapping[str, object]]
    """What of the release the judgment depends on, as JSON types."""
    policy: Callable[[Tool, Config], object] = _no_policy
    """What of definition and settings it depends on."""
