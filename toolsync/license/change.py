"""One difference between the terms of two releases, and what it means."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from toolsync.model.release import Finding

SILENT, REVIEW, BLOCK = "silent", "review", "block"
_SEVERITY = {SILENT: "info", REVIEW: "risky", BLOCK: "breaking"}
_LISTED = 12
"""How many names a message holds before it only counts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One difference, and what it means for the release."""

    code: str
    verdict: str
    message: str
    about: tuple[str, ...] = ()
    """Fingerprints, digests or names that an approval of it is for."""
    unknown: bool = False
    """Whether it is that something could not be known."""
    paths: tuple[str, ...] = ()
    """Which files or folders show it, for policies that name paths."""

    @property
    def key(self) -> str:
        """A digest of what it is, so that an approval can reach later releases."""
        parts = "\0".join((self.code, *sorted(self.about)))
        return hashlib.sha256(f"license\0{parts}".encode()).hexdigest()

    @property
    def finding(self) -> Finding:
        """It, in the form of all findings."""
        severity = "unknown" if self.unknown else _SEVERITY[self.verdict]
        return Finding(stage="license", code=self.code, severity=severity, message=self.message)


def listed(items: Iterable[str]) -> str:
    """Return names in one phrase."""
    return " and ".join(sorted(items)) or "nothing"


def shown(paths: Sequence[str]) -> str:
    """Return paths in one line."""
    out = ", ".join(sorted(paths)[:_LISTED])
    return out + (f" and {len(paths) - _LISTED} more" if len(paths) > _LISTED else "")
