"""Judge the .changes of a worker: it is of what was asked for, and each of its lists is true.

Who reads it later takes the one list or the other (reprepro believes Files, which has MD5, and
takes a file's component of the archive from its section), so all of them are compared.
"""

from __future__ import annotations

import hashlib
import re
from typing import Protocol

from debian.deb822 import Changes

from toolsync.build.stage import Product
from toolsync.model.errors import Hostile
from toolsync.model.values import Blob
from toolsync.system.store import Store

_FIELD = re.compile(r"^([^\s:#][^\s:]*):", re.MULTILINE)
_SECTION = re.compile(r"-|[a-z0-9][a-z0-9+./-]{0,99}")
_LISTS = (("Files", "md5sum"), ("Checksums-Sha1", "sha1"), ("Checksums-Sha256", "sha256"))
"""Each list of files, and the digest that it has."""
_PIECE = 1024 * 1024
Sums = dict[str, tuple[str, int]]
"""Digest and size in bytes by a file's name."""


class Wanted(Protocol):
    """What a .changes is to be of."""

    @property
    def name(self) -> str:
        """The source package."""

    @property
    def version(self) -> str:
        """Its full version."""

    @property
    def series(self) -> str:
        """The series."""


def require_changes(asked: Wanted, made: Product, store: Store) -> None:
    """Raise Hostile unless the .changes is of what was asked for and names all that was made."""
    text = _text(made.changes, store)
    try:
        changes = Changes(text)
        of = tuple(str(changes[field]) for field in ("Source", "Version", "Distribution"))
        found = {field: _listed(changes, field, digest) for field, digest in _LISTS}
    except (ValueError, KeyError, TypeError) as error:
        raise Hostile(f"{made.changes.name} is no .changes: {str(error)[:500]}") from error
    if of != (wanted := (asked.name, asked.version, asked.series)):
        raise Hostile(f"{made.changes.name} is of {' '.join(of)[:300]}, wanted {' '.join(wanted)}")
    if found["Checksums-Sha256"] != {b.name: (b.sha256, b.size) for b in made.files}:
        raise Hostile(f"{made.changes.name} names other files than it says it made")
    if not any(blob.name.endswith(".deb") for blob in made.files):
        raise Hostile(f"{made.changes.name} names no .deb")
    for field, digest in (("Files", "md5"), ("Checksums-Sha1", "sha1")):
        if not found[field] and field == "Checksums-Sha1":
            continue  # nobody needs it, and dpkg may leave it out one day
        if found[field] != {b.name: (_digest(b, digest, store), b.size) for b in made.files}:
            raise Hostile(f"{made.changes.name} has other files in {field}")


def _text(blob: Blob, store: Store) -> str:
    """Return its text: one paragraph without a signature, each field once."""
    try:
        text = store.path(blob).read_text(encoding="utf-8")
    except ValueError as error:
        raise Hostile(f"{blob.name} is no .changes: {str(error)[:500]}") from error
    lines = text.rstrip("\n").split("\n")
    fields = [name.lower() for name in _FIELD.findall(text)]
    odd = any(not line.strip() or line.startswith("-----") for line in lines)
    # Other readers end a line at its feed alone, python-debian at any character that may end one.
    if odd or len(text.splitlines()) != len(lines) or len(set(fields)) != len(fields):
        raise Hostile(f"{blob.name} is no .changes of one paragraph, or has a field twice")
    return text


def _listed(changes: Changes, field: str, digest: str) -> Sums:
    """Return what a list says of each file; none where it is not there."""
    entries = changes.get(field) or ()
    found = {str(e["name"]): (str(e[digest]), int(e["size"])) for e in entries}
    if len(found) != len(entries):
        raise ValueError(f"{field} names a file twice")
    for entry in entries if field == "Files" else ():
        words = (str(entry["section"]), str(entry["priority"]))
        if not all(_SECTION.fullmatch(word) for word in words):
            raise ValueError(f"{' '.join(words)} is no section and priority")
    return found


def _digest(blob: Blob, name: str, store: Store) -> str:
    hasher = hashlib.new(name, usedforsecurity=False)
    with store.path(blob).open("rb") as source:
        while piece := source.read(_PIECE):
            hasher.update(piece)
    return hasher.hexdigest()
