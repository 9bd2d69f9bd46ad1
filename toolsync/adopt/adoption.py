"""What packaging was found to be."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from toolsync.adopt.bases import Bases


@dataclass(frozen=True, slots=True, kw_only=True)
class Adoption:
    """Packaging, and the tool that follows it."""

    name: str
    said: str
    version: str
    """The packaging's own, a full Debian version."""
    page: str
    newest: str
    """The newest version that upstream's page offers; empty where it could not be read."""
    proof: str
    licenses: tuple[str, ...]
    patches: tuple[str, ...]
    lacks: Mapping[str, tuple[str, ...]]
    """Build dependencies that a series cannot meet, by series."""
    served: Mapping[str, str]
    """The newest version that the distribution serves, by series."""
    lintian: tuple[str, ...]
    undecided: tuple[str, ...]
    """What a person should know or say, each in a sentence."""
    toml: str
    bases: Bases = field(default_factory=Bases)
    """With what the gates compare its first release."""
    later: Path | None = None
    """A later packaging's patches, while the adoption goes on (`config.later`)."""
    folder: Path | None = None
    """Where it was written; None where nothing was."""
    changed: bool = False
