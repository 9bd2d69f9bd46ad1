"""Have a release looked at by the fleet's workers, and here where none of them does it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from toolsync.config.definition import Tool
from toolsync.model.errors import TryAgain
from toolsync.model.release import Blob, Built, Package, Unpacked
from toolsync.pipeline.context import Context

if TYPE_CHECKING:
    from toolsync.fleet.coordinator import Coordinator


@dataclass(frozen=True, slots=True)
class Workers:
    """Looks at releases by a fleet (`gate.record.Elsewhere`)."""

    fleet: Coordinator
    tasks: tuple[str, ...]
    """The kinds of tasks that are given to workers."""
    again: bool

    def terms(self, item: Unpacked, before: Blob | None) -> tuple[Blob, tuple[str, ...]] | None:
        """Return the terms of a release and what could not be read, None where no worker did it."""
        if "scan" not in self.tasks:
            return None
        from toolsync.fleet.scan import SCAN, ScanAsked, ScanPart  # only where there is a fleet

        parts = tuple(ScanPart(component=p.component, orig=p.orig) for p in item.components)
        asked = ScanAsked(orig=item.orig, components=parts, before=before)
        try:
            read = self.fleet.ask(SCAN, asked, again=self.again)
        except TryAgain:
            return None
        return read.terms, read.problems

    def surface(self, item: Package, tool: Tool, installed: bool) -> bytes | None:
        """Return the surface of a tree or of its packages as JSON, None where no worker read it."""
        if "surface" not in self.tasks:
            return None
        from toolsync.fleet.scan import ScanPart
        from toolsync.fleet.surface import SURFACE, SurfaceAsked

        unpacked = item.source.licensed.unpacked
        asked = SurfaceAsked(
            orig=unpacked.orig,
            components=tuple(
                ScanPart(component=p.component, orig=p.orig) for p in unpacked.components
            ),
            debs=item.debs if installed and isinstance(item, Built) else (),
            commands=tool.compat.commands,
            probe=tool.compat.probe,
        )
        try:
            return self.fleet.ask(SURFACE, asked, again=self.again).to_json()
        except TryAgain:
            return None


def elsewhere_of(context: Context) -> Workers | None:
    """Return who looks at releases on other machines, None where there is no fleet."""
    if context.fleet is None:
        return None
    return Workers(context.fleet, context.config.fleet.tasks, context.memory.retry)
