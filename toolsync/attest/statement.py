"""The statement: an in-toto Statement v1 whose predicate is the whole record of a release.

Its bytes follow from the record alone, so that the same record is never signed twice.
docs/evidence.md describes its form.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

STATEMENT = "https://in-toto.io/Statement/v1"
PREDICATE = "https://launchpad.net/toolsync/evidence/v1"
_SHIPPED = (".dsc", ".deb")

ARCHITECTURES = "architectures"
"""Stands under a series for what was built for further architectures, each under its own."""

GATES = ("license", "compat")
"""The gates whose answers every record of this form has; more are named in its policy."""

Record = Mapping[str, Any]
"""A release's record, or a part of it: JSON, of the shape that docs/evidence.md describes."""


def statement(record: Record) -> dict[str, object]:
    """Return the statement over a release's record, see `keep.gather`."""
    found = {
        (name, digest): {"name": name, "digest": {"sha256": digest}, "annotations": {"role": role}}
        for role, name, digest in subjects(record)
    }
    return {
        "_type": STATEMENT,
        "subject": list(found.values()),
        "predicateType": PREDICATE,
        "predicate": record,
    }


def payload(said: Mapping[str, object]) -> bytes:
    """Return a statement's bytes."""
    return json.dumps(said, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def subjects(record: Record) -> Iterator[tuple[str, str, str]]:
    """Yield role, name and sha256 of upstream's file, the orig tarball, each .dsc and .deb."""
    if "archive" in record.get("fetch", {}):
        yield "upstream", record["release"]["filename"], record["fetch"]["archive"]["sha256"]
    for part in record.get("fetch", {}).get("components", ()):
        yield "upstream", part["archive"]["name"], part["archive"]["sha256"]
    unpacked = record.get("unpack", {})
    if "orig" in unpacked:
        for orig in (unpacked["orig"], *(p["orig"] for p in unpacked.get("components", ()))):
            yield "orig", orig["name"], orig["sha256"]
    for place in record.get("series", {}).values():
        for name, digest in (
            *made(place),
            *(b for t in targets(place).values() for b in served(t)),
        ):
            if name.endswith(_SHIPPED):
                yield name.rpartition(".")[2], name, digest


def made(place: Record) -> list[tuple[str, str]]:
    """Return name and sha256 of the files of one packaging that were made here."""
    return [(blob["name"], blob["sha256"]) for blob in files(place)]


def files(place: Record) -> Iterator[Record]:
    """Yield the files of one packaging that were made here: source, and binaries of all builds."""
    others = (told.get("build", {}) for told in place.get(ARCHITECTURES, {}).values())
    for part in (place.get("package", {}), place.get("build", {}), *others):
        yield from part.get("files", ())


def targets(place: Record) -> dict[str, Record]:
    """Return what each target came to, by its name; the others are stages, with an outcome."""
    return {
        name: told
        for name, told in place.items()
        if "outcome" not in told and name != ARCHITECTURES
    }


def served(target: Record) -> list[tuple[str, str]]:
    """Return name and sha256 of the files that a target was seen to serve."""
    blobs = target.get("confirm", {}).get("served", ())
    return [(blob["name"], blob["sha256"]) for blob in blobs]


def builds_itself(target: str) -> bool:
    """Say whether a target makes binaries of its own, which need not be those made here."""
    return target.startswith("ppa:")
