"""What was found whole in an archive, and how its files were then.

To digest a whole pool at each sync would cost minutes. So it is written down, in the archive's
``conf/checked.json``, which files had the right digest, with inode, size and times; what is as
it was then is not digested again before a scrub (docs/adr/0026). Without the file, or where it
cannot be read, nothing counts as looked at.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from toolsync.model.values import dump, load
from toolsync.system.store import replace_file

NAME = "checked.json"
_FORM = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A file that an index names, as it must be."""

    path: str
    """Below the archive's folder."""
    size: int
    """Bytes."""
    sha256: str
    source: str
    """The source package that it belongs to."""
    version: str
    """That package's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Suite:
    """What the signed index of one series says."""

    series: str
    signers: tuple[str, ...]
    """Fingerprints of the keys by which it was found signed."""
    indices: tuple[str, ...]
    """All files below ``dists`` that were compared with it, itself the first."""
    lists: tuple[str, ...]
    """Each package as ``reprepro list`` shows it: ``SERIES|COMPONENT|ARCH: NAME VERSION``."""
    entries: tuple[Entry, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """What was found whole."""

    form: int = _FORM
    suites: tuple[Suite, ...] = ()
    marks: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    """`mark_of` of each file that had the right digest, by its path below the archive's folder."""

    def of(self, series: str) -> Suite | None:
        """Return what was known of a series."""
        return next((suite for suite in self.suites if suite.series == series), None)


def read_checked(root: Path) -> Checked:
    """Return what is written down in an archive; nothing where that cannot be read."""
    try:
        found = load(Checked, json.loads((root / "conf" / NAME).read_text(encoding="utf-8")))
        marks = {path: tuple(map(int, mark)) for path, mark in found.marks.items()}
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return Checked()
    right = found.form == _FORM
    return Checked(suites=found.suites, marks=marks) if right else Checked()


def write_checked(root: Path, found: Checked) -> None:
    """Write down what was found; a crash may take it back, which costs no more than time."""
    data = json.dumps(dump(found)).encode()
    replace_file(root / "conf" / NAME, data, durable=False)
