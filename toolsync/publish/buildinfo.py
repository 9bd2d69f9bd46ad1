"""Name a .buildinfo in a copy of a .changes, so that the archive keeps it beside the source.

The .changes of the evidence does not name it: that one is the same bytes for the same source, and
a .buildinfo has the hour of its build (deb-buildinfo(5)).
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from toolsync.system.store import replace_file

_SUMS = {"Files": "md5sum", "Checksums-Sha1": "sha1", "Checksums-Sha256": "sha256"}
"""The fields of a .changes that list its files (deb-changes(5)), and what digest each has."""


def name_buildinfo(changes: Path, buildinfo: Path) -> None:
    """Add ``buildinfo`` to an unsigned .changes beside it; one that is named already stays."""
    from debian.deb822 import Changes  # heavy, and rarely needed

    told = Changes(changes.read_text(encoding="utf-8"))
    if any(entry["name"] == buildinfo.name for entry in told["Files"]):
        return
    source = next(entry for entry in told["Files"] if entry["name"].endswith(".dsc"))
    data = buildinfo.read_bytes()
    for field, kind in _SUMS.items():
        digest = hashlib.new(kind.removesuffix("sum"), data, usedforsecurity=False).hexdigest()
        entry = {kind: digest, "size": str(len(data)), "name": buildinfo.name}
        if field == "Files":
            entry |= {name: source[name] for name in ("section", "priority")}
        told[field].append(entry)
    replace_file(changes, told.dump().encode())
