"""The record of a way of building: by what it is told, and what packaging it needs."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from toolsync.scaffold.tree import Tree

ALL, ANY = "all", "any"
"""What Architecture says of packages that are the same on all machines, and of the others."""


class Names(Protocol):
    """Knows which packages the series has."""

    def first(self, *names: str) -> str:
        """Return the first package of these that there is in every series; empty for none."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """What packaging a tree needs."""

    build_depends: Sequence[str] = ()
    """Beside debhelper's own."""
    depends: Sequence[str] = ()
    """Beside ``${misc:Depends}``."""
    architecture: str = ANY
    dh: str = ""
    """Options of dh(1)."""
    rules: str = ""
    """More of debian/rules."""
    source_fields: Mapping[str, str] = field(default_factory=dict)
    """More fields of the source package in debian/control."""
    files: Mapping[str, str] = field(default_factory=dict)
    """More files, by path below debian/."""
    section: str = "utils"
    test: str = ""
    """A line of shell that tries what is no command, such as an import."""
    path: str = ""
    """Variables that the package's commands want when they are run where they were built."""
    questions: Sequence[str] = ()
    """What only a person can say."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildSystem:
    """One way of building."""

    name: str
    about: str
    fits: Callable[[Tree], Collection[str] | bool]
    """Says whether a tree is built in this way."""
    recipe: Callable[[Tree, str, Names], Recipe]
    """Makes the recipe of such a tree, for the package of this name."""
