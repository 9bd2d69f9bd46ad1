"""Fit a copy of a .changes to what the archive is to take: less than was made, and its .buildinfo.

The .changes of the evidence does not name a .buildinfo: that one is the same bytes for the same
source, and a .buildinfo has the hour of its build (deb-buildinfo(5)).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from toolsync.model.release import UNSERVED
from toolsync.system.store import replace_file

if TYPE_CHECKING:
    from debian.deb822 import Changes

_SUMS = {"Files": "md5sum", "Checksums-Sha1": "sha1", "Checksums-Sha256": "sha256"}
"""The fields of a .changes that list its files (deb-changes(5)), and what digest each has."""


def name_buildinfo(changes: Path, buildinfo: Path) -> None:
    """Add ``buildinfo`` to an unsigned .changes beside it; one that is named already stays."""
    with _edited(changes) as told:
        if any(entry["name"] == buildinfo.name for entry in told["Files"]):
            return
        source = next(entry for entry in told["Files"] if entry["name"].endswith(".dsc"))
        data = buildinfo.read_bytes()
        for field, kind in _listing(told):
            digest = hashlib.new(kind.removesuffix("sum"), data, usedforsecurity=False).hexdigest()
            entry = {kind: digest, "size": str(len(data)), "name": buildinfo.name}
            if field == "Files":
                entry |= {name: source[name] for name in ("section", "priority")}
            told[field].append(entry)


def leave_out_unserved(changes: Path) -> None:
    """Take out of an unsigned .changes what no archive for instances serves (`UNSERVED`).

    Reprepro refuses a .udeb where the archive has no component for the installer, and takes a .ddeb
    for a file of the source.
    """
    with _edited(changes) as told:
        for field, _ in _listing(told):
            told[field][:] = [one for one in told[field] if not one["name"].endswith(UNSERVED)]


def _listing(told: Changes) -> Iterator[tuple[str, str]]:
    """Yield the fields that list files, and their digests; not every .changes has all of them."""
    return ((field, kind) for field, kind in _SUMS.items() if field in told)


@contextmanager
def _edited(changes: Path) -> Iterator[Changes]:
    """Give what a .changes says, and write it where that was changed."""
    from debian.deb822 import Changes  # heavy, and rarely needed

    told = Changes(changes.read_text(encoding="utf-8"))
    before = told.dump()
    yield told
    if (after := told.dump()) != before:
        replace_file(changes, after.encode())
