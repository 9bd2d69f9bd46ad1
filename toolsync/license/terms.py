"""The terms of one release: of its license files, its other files, and its bundled components.

Kept as JSON in the store, they are what the next release is compared with.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field, replace

from toolsync.model.release import dump, load
from toolsync.model.values import WHILE_FILLED

RULES = 1
"""Raised when the same tree would come to other terms."""

KEPT_WORDS = 400_000
"""Characters of a text that are kept, to show later what has changed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LicenseText:
    """A file whose purpose is to state terms."""

    path: str
    """Without what changes with each version."""
    file: str
    """Where it really lies in the tree."""
    fingerprint: str
    """SHA-256 of its normalised words."""
    id: str = ""
    """The license that this is, if the text is known."""
    parts: tuple[str, ...] = ()
    """Fingerprints of what stands between rulers, where there are several."""
    words: str = ""
    size: int = 0
    said: str = field(default="", metadata=WHILE_FILLED)
    """What in it was read as a choice, though it may mean another thing; see `shortnames`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """A file: its content, and what it says of its own license."""

    path: str
    digest: str
    """The first 32 hex digits of its SHA-256."""
    ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What a detector found in a content: an explanation, which may differ between machines."""

    digest: str
    ids: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Component:
    """A third-party component inside the tree."""

    kind: str
    """``vendored``, ``library``, ``jar``, ``package``, ``certificates`` …"""
    name: str
    """Without version."""
    path: str
    digest: str = ""
    """SHA-256 of a jar; empty where texts and files tell enough."""
    files: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Declared:
    """What metadata say."""

    path: str
    value: str
    """As written."""
    expression: str = ""
    """As SPDX, where it can be understood."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """Something that could not be read, so that nothing is known about it."""

    path: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """All of it."""

    rules: int = RULES
    mains: tuple[LicenseText, ...] = ()
    notices: tuple[LicenseText, ...] = ()
    nested: tuple[LicenseText, ...] = ()
    files: tuple[File, ...] = ()
    told: tuple[Told, ...] = ()
    components: tuple[Component, ...] = ()
    declared: tuple[Declared, ...] = ()
    requires: tuple[str, ...] = ()
    """Names of the projects that it depends on."""
    problems: tuple[Problem, ...] = ()
    size: int = 0
    """Bytes of all files."""

    @property
    def texts(self) -> tuple[LicenseText, ...]:
        """Every license text."""
        return self.mains + self.notices + self.nested

    @property
    def digest(self) -> str:
        """SHA-256 over everything but what a detector told, in hex."""
        return hashlib.sha256(to_json(replace(self, told=()))).hexdigest()

    def ids(self) -> dict[str, tuple[str, ...]]:
        """Return the license ids of each file by path: its own words first, else the detector's.

        Of license texts only their own words count here.
        """
        told = {item.digest: item.ids for item in self.told}
        texts = {text.path for text in self.texts}
        return {
            file.path: file.ids or (() if file.path in texts else told.get(file.digest, ()))
            for file in self.files
        }

    def opinion(self, text: LicenseText) -> tuple[str, ...]:
        """Return what a detector takes a license text for: a second opinion, never a decision."""
        told = {item.digest: item.ids for item in self.told}
        return next(
            (told.get(file.digest, ()) for file in self.files if file.path == text.path), ()
        )


def to_json(terms: Terms) -> bytes:
    """Return terms as JSON."""
    return json.dumps(dump(terms), separators=(",", ":"), sort_keys=True).encode()


def from_json(data: bytes) -> Terms | None:
    """Return the terms that `to_json` wrote, None if other rules or another version did."""
    try:
        terms = load(Terms, json.loads(data))
    except (ValueError, TypeError, KeyError, AttributeError):
        return None
    return terms if terms.rules == RULES else None
