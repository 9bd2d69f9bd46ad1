"""What a kind of target must bring: its record, and what it is opened with.

A kind is one file with one record and one line in `targets.TARGETS`. What speaks to the other
side is imported inside the function that opens it, so that reading the settings loads none of it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from toolsync.config.record import Schema

if TYPE_CHECKING:
    from toolsync.config.settings import Config
    from toolsync.http.client import Http
    from toolsync.publish.target import Target
    from toolsync.system.clock import Clock
    from toolsync.system.store import Store
    from toolsync.system.work import Workshop


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """All that a target may use; nothing is written or connected to before it is first used."""

    rest: str
    """What stands after the colon of its name, as OWNER/NAME does in ``ppa:OWNER/NAME``."""
    config: Config
    store: Store
    workshop: Workshop
    clock: Clock
    http: Http
    """Open for as long as the target is used."""


def _none(_: Config) -> tuple[str, ...]:
    return ()


def _always(_: Config) -> bool:
    return True


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TargetKind:
    """A kind of place to publish to."""

    name: str
    """The word before the colon of ``target``; the section of its settings is called so, too."""
    about: str
    """What it is, in a phrase: its section's description."""
    form: str
    """What may stand in ``target``, for a person."""
    pattern: str
    """The same as a regular expression for the whole."""
    open: Callable[[Opening], Target]
    """Raises SetupError where the settings cannot work."""
    distribution: str = "debian"
    """Whose series are followed with ``series = "supported"``."""
    settings: Schema = field(default_factory=dict)
    """The keys of its section of toolsync.toml; what no dataclass of `config.settings` has, it
    finds in ``config.own``."""
    needs: tuple[str, ...] = ()
    programs: Callable[[Config], tuple[str, ...]] = _none
    """What must be on this machine, by the names of `system.run.PACKAGES`."""
    builds_here: Callable[[Config], bool] = _always
    """Whether packages are built on this machine before they go there."""
