"""What was read of a tree so far, with a bound on everything."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from pathlib import Path

from toolsync.license import names
from toolsync.license.machinereadable import Stated
from toolsync.license.terms import Component, Declared, File, LicenseText, Problem

MAX_TEXTS = 5_000
"""License texts in one tree; honest trees have hundreds at most."""
MAX_TEXT_BYTES = 64 * 1024 * 1024
"""Of all license texts together."""
MAX_FILES = 500_000
MAX_PROBLEMS = 200
MAX_OPINIONS = 40
"""License texts that are not known and that a detector is asked about, those at the top first."""
DIGITS = 32
"""Hex digits of a file's digest that are kept: enough against accident and attack (128 bits)."""


@dataclass(slots=True)
class Found:
    """What was read so far."""

    own: str = ""
    """The project's name, as its top folder has it."""
    texts: dict[str, list[LicenseText]] = field(
        default_factory=lambda: {names.MAIN: [], names.NOTICE: [], names.NESTED: []}
    )
    files: list[File] = field(default_factory=list)
    declared: list[Declared] = field(default_factory=list)
    requires: set[str] = field(default_factory=set)
    problems: list[Problem] = field(default_factory=list)
    unexplained: dict[str, Path] = field(default_factory=dict)
    parts: list[Component] = field(default_factory=list)
    size: int = 0
    text_bytes: int = 0
    text_count: int = 0

    stated: dict[str, Stated] = field(default_factory=dict)
    """What texts are, by their words."""
    opinions: int = 0
    """License texts for which a detector is asked, since they are not known here."""
    untold: int = 0
    """Problems beyond those that are told one by one."""
    untold_digest: hashlib._Hash = field(default_factory=hashlib.sha256)

    def trouble(self, path: str, reason: str) -> None:
        """Note a problem; beyond ``MAX_PROBLEMS`` they are only counted."""
        if len(self.problems) < MAX_PROBLEMS:
            self.problems.append(Problem(path=path, reason=reason))
        else:
            self.untold += 1
            self.untold_digest.update(f"{path}\0{reason}\n".encode(errors="replace"))

    def all_problems(self) -> list[Problem]:
        """Return all problems; those that are too many as one, which names them by a digest."""
        if not self.untold:
            return self.problems
        digest = self.untold_digest.hexdigest()[:DIGITS]
        reason = f"has {self.untold} more files that could not be read (digest {digest})"
        return [*self.problems, Problem(path="", reason=reason)]
