"""What a way of building must bring: its record."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from typing import TypeAlias

from toolsync.build.job import Job, Made
from toolsync.config.record import Needs, Schema
from toolsync.config.settings import Config

Builder: TypeAlias = Callable[[Job], Made]
Looks: TypeAlias = Iterator[tuple[str, Callable[[], str]]]
"""Pairs of a subject and what looks at it: returns a phrase, or raises what is wrong."""


def _none(_: Config) -> Looks:
    return iter(())


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Backend:
    """A way of making binaries of a source package."""

    name: str
    """Its word in ``[build] backend``."""
    about: str
    """Where it builds, in a phrase."""
    build: Builder
    """Raises PackageFailed where the package is at fault, TryAgain where the world was not ready,
    SetupError where this machine cannot build."""
    settings: Schema = field(default_factory=dict)
    """Keys of [build] that it alone reads; what `config.settings.Build` has no field for, it finds
    in ``own`` there, which its `Job` carries."""
    needs: Needs = ()
    programs: tuple[str, ...] = ()
    """What must be on this machine, by the names of `system.run.PACKAGES`."""
    foreign: bool = False
    """Whether it builds for other architectures, too, whose programs this machine runs."""
    varies: Callable[[], Collection[str]] = tuple
    """Gives what of `Job.varied` it heeds here and now, by the names of `variation`."""
    looks: Callable[[Config], Looks] = _none
    """Gives what `toolsync doctor` looks at where packages are built here."""
