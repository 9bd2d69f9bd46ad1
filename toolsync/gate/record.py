"""What a gate must bring: its record, and what it is given to judge.

A gate is one file with one record and one line in `gates.GATES`. What judges is imported inside the
function that needs it, so that whoever reads the names of gates loads none of it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

from toolsync.config.record import Needs, Schema
from toolsync.model.judgment import HOLD, PASS, Judgment
from toolsync.model.release import Blob, Package, Unpacked

if TYPE_CHECKING:
    from toolsync.config.definition import Tool
    from toolsync.config.settings import Config
    from toolsync.system.store import Store
    from toolsync.system.work import Workshop

S = TypeVar("S")
"""What is judged: `Unpacked` before a package is made, `Built` or `SourcePackage` after."""


class Elsewhere(Protocol):
    """Looks at a release on another machine; what it returns was judged."""

    def terms(self, item: Unpacked, before: Blob | None) -> tuple[Blob, tuple[str, ...]] | None:
        """Return the terms as `license.terms` keeps them, and what could not be read.

        None where no machine did it: it is then done here.
        """

    def surface(self, item: Package, tool: Tool, installed: bool) -> bytes | None:
        """Return what users can touch of a tree, else of what its packages install, as JSON.

        None likewise. Whether it is of these files its digest tells.
        """


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
    adopted: bool = False
    """Whether ``before`` is of what a distribution serves, by whose packaging the tool came."""
    earlier: Mapping[str, tuple[Blob, ...]] = field(default_factory=dict)
    """Of packages for further architectures: those of the newest accepted release that had some."""
    elsewhere: Elsewhere | None = None
    """Who looks at it on another machine, where there is a fleet."""


def _no_policy(_tool: Tool, _config: Config) -> object:
    return []


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate(Generic[S]):
    """One gate: what it looks at, and how it judges."""

    name: str
    """Its word among the stages, in evidence and in decisions; its section is called so, too."""
    about: str
    """What it looks at, in a phrase: its section's description."""
    rules: int
    """Raised when the same inputs may come to another judgment."""
    judge: Callable[[Asked[S]], Judgment]
    """Its judgment's ``subject`` must change with all that a person would decide over."""
    inputs: Callable[[S], Mapping[str, object]]
    """What of the release the judgment depends on, as JSON types."""
    policy: Callable[[Tool, Config], object] = _no_policy
    """What of definition and settings it depends on."""
    verdicts: tuple[str, ...] = (PASS, HOLD)
    """Its verdicts, mildest first; which of them pass is `model.judgment.PASSING`."""
    settings: Schema = field(default_factory=dict)
    """The keys of its section of tool.toml, each with its JSON Schema; it finds them in
    ``tool.own``."""
    needs: Needs = ()
    """Those without which its section means nothing."""
