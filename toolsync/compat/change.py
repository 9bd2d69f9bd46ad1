"""One difference between two releases, as users meet it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from toolsync.compat.surface import KINDS

SEVERITIES = ("info", "additive", "unknown", "risky", "breaking")
"""Mildest first. ``info`` is what policy has waived: it is shown and does not count."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What changed, how bad that is, and how it is known."""

    kind: str
    """One of `surface.KINDS`, or ``argument`` words of what could not be examined."""
    name: str
    severity: str
    """One of `SEVERITIES`."""
    proof: str
    gap: bool = False
    """Whether it is something that could not be examined, and no difference."""
    where: str = ""
    """The architectures on which it is so, where that is not all that were compared."""

    @property
    def full_name(self) -> str:
        """Its name, and the architectures where it is not so on all."""
        return f"{self.name} on {self.where}" if self.where else self.name

    def told(self) -> dict[str, str]:
        """Return what of it is decided over, and printed as JSON."""
        names = {"kind": "kind", "name": "full_name", "severity": "severity", "proof": "proof"}
        return {name: str(getattr(self, field)) for name, field in names.items()}


def ordered(changes: Iterable[Change]) -> tuple[Change, ...]:
    """Return changes, gravest first, then by kind and name."""

    def rank(change: Change) -> tuple[int, int, str, str]:
        kind = KINDS.index(change.kind) if change.kind in KINDS else len(KINDS)
        return -SEVERITIES.index(change.severity), kind, change.name, change.where

    return tuple(sorted(changes, key=rank))
