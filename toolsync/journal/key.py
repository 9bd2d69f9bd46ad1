"""By what results, judgments and lines of the log are found: a stage of a release."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple


class Place(NamedTuple):
    """What a scope names; empty, or 0, where it says nothing."""

    series: str
    revision: int
    architecture: str
    target: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """Which stage of which release.

    ``scope`` is empty, or ``SERIES/REVISION[/ARCHITECTURE][@TARGET]``: a build has an architecture
    where it is a further one, beside the build that all of the release's stages go on with.
    """

    tool: str
    version: str
    stage: str
    scope: str = ""

    @property
    def place(self) -> Place:
        """What the scope names."""
        place, _, target = self.scope.partition("@")
        series, revision, architecture, *_ = (*place.split("/"), "", "")
        return Place(series, int(revision or 0), architecture, target)

    @property
    def packaging(self) -> str:
        """The scope of the source package that the stage is of."""
        return "/".join(self.scope.partition("@")[0].split("/")[:2])
