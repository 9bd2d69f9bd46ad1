"""What a leaf of the log of publications says, and the names of its files."""

from __future__ import annotations

import re
from dataclasses import dataclass

from toolsync.attest.envelope import read_json
from toolsync.model.errors import Unverified
from toolsync.model.values import dump, load

CHECKPOINT = "checkpoint"
"""The name of the head below the log."""
_DIGEST = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What a leaf says: which signed evidence, of which release, kept when."""

    tool: str
    version: str
    name: str
    sha256: str
    size: int
    at: str


def evidence_name(sha256: str) -> str:
    """Return the name of signed evidence below the log."""
    return f"evidence/{sha256}.intoto.json"


def entry_of(data: bytes, number: int) -> Entry:
    """Return what a leaf says; raises Unverified where it is none of toolsync's."""
    place = f"entry {number}"
    found = read_json(data, place)
    try:
        entry = load(Entry, found)
    except (TypeError, KeyError, ValueError, AttributeError) as error:
        raise Unverified(f"{place} does not say tool, version and digest of evidence") from error
    if dump(entry) != found or not _DIGEST.fullmatch(entry.sha256):
        raise Unverified(f"{place} says more or less than an entry of this log does")
    return entry
