"""What a report channel must bring: its record."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

from toolsync.config.record import Needs, Schema
from toolsync.journal.messages import Message

if TYPE_CHECKING:
    from toolsync.config.settings import Config
    from toolsync.http.client import Http

Send: TypeAlias = Callable[[Message], None]
"""Writes a message in the channel's form and sends it once; raises what keeps it from being
sent. Tried again it must be the same message under the same id."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Channel:
    """A way to tell people, or programs, what a run changed."""

    name: str
    """Its section is ``[report.NAME]``."""
    about: str
    """What it sends, in a phrase: its section's description."""
    is_set_up: Callable[[Config], bool]
    """Says whether the settings name somebody to be told so."""
    ready: Callable[[Config], str]
    """Says, for `toolsync doctor`, how messages would leave; raises what keeps them from it."""
    open: Callable[[Config, Http], Mapping[str, Send]]
    """Gives everyone who is told, by the name that the journal keeps; asks nobody yet."""
    settings: Schema = field(default_factory=dict)
    """The keys of its section; what no dataclass of `config.settings` has, it finds in
    ``config.report.own``."""
    needs: Needs = ()
