"""The table of kinds of tasks. A new kind is one file with its record, and one line here."""

from __future__ import annotations

from collections.abc import Iterable

from toolsync.config.settings import Config
from toolsync.fleet.build import BUILD
from toolsync.fleet.kind import AnyKind
from toolsync.fleet.look import LOOK
from toolsync.fleet.scan import SCAN
from toolsync.fleet.surface import SURFACE

KINDS: tuple[AnyKind, ...] = (BUILD, LOOK, SCAN, SURFACE)
"""What is shipped."""


def queues_of(config: Config, kinds: Iterable[AnyKind] = KINDS) -> list[str]:
    """Return all queues that a machine with these settings can serve."""
    return [queue for kind in kinds for queue in kind.queues(config)]
