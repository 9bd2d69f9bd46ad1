"""Read the forms in which Sigstore's proofs lie beside files, as the bundles that they hold.

A bundle by itself, or several as lines; what GitHub answers for a file's attestations; an
attestation of PEP 740, and the provenance of a file that a package index gives.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterator, Mapping

_BUNDLE = "application/vnd.dev.sigstore.bundle"
_MOST = 16
"""Bundles of one file that are read."""


def bundles_in(content: bytes) -> tuple[Mapping[str, object], ...]:
    """Return the bundles in a file, none where it is of no form that is known."""
    found: list[Mapping[str, object]] = []
    for value in _values(content):
        found += _of(value)
    return tuple(found[:_MOST])


def knows(content: bytes) -> bool:
    """Say whether a file holds a bundle."""
    return bool(bundles_in(content))


def signed_at(bundle: Mapping[str, object]) -> int:
    """Return when the log that has promised to hold a bundle's entry had it (Unix), 0 if none."""
    for entry in _tables(_table(bundle, "verificationMaterial").get("tlogEntries")):
        at = str(entry.get("integratedTime", ""))
        if entry.get("inclusionPromise") and at.isascii() and at.isdigit() and len(at) <= 11:
            return int(at)
    return 0


def statement_of(bundle: Mapping[str, object]) -> Mapping[str, object] | None:
    """Return the in-toto statement that a bundle is about, None where it has none."""
    payload = _table(bundle, "dsseEnvelope").get("payload")
    try:
        found = json.loads(base64.b64decode(str(payload), validate=True)) if payload else None
    except (ValueError, RecursionError, binascii.Error):
        return None
    return found if isinstance(found, dict) else None


def subjects_of(statement: Mapping[str, object], sha256: str) -> tuple[str, ...]:
    """Return the names that a statement gives to the file of a digest."""
    same = (
        s for s in _tables(statement.get("subject")) if _table(s, "digest").get("sha256") == sha256
    )
    return tuple(str(subject.get("name", "")) for subject in same)


def _values(content: bytes) -> Iterator[object]:
    """Yield the JSON in a file: the whole of it, or each of its lines."""
    try:
        yield json.loads(content)
    except (ValueError, RecursionError):
        for line in content.splitlines()[:_MOST]:
            try:
                yield json.loads(line)
            except (ValueError, RecursionError):
                return


def _of(value: object) -> Iterator[Mapping[str, object]]:
    if not isinstance(value, dict):
        return
    if str(value.get("mediaType", "")).startswith(_BUNDLE):
        yield value
    elif "envelope" in value and "verification_material" in value:
        yield _of_attestation(value)
    for group in _tables(value.get("attestation_bundles")):
        for attestation in _tables(group.get("attestations")):
            yield from _of(attestation)
    for attestation in _tables(value.get("attestations")):
        yield from _of(attestation.get("bundle"))


def _of_attestation(value: Mapping[str, object]) -> Mapping[str, object]:
    """Return an attestation (PEP 740) as the bundle that it was made of."""
    material, envelope = _table(value, "verification_material"), _table(value, "envelope")
    return {
        "mediaType": f"{_BUNDLE}.v0.3+json",
        "verificationMaterial": {
            "certificate": {"rawBytes": material.get("certificate", "")},
            "tlogEntries": material.get("transparency_entries", []),
        },
        "dsseEnvelope": {
            "payload": envelope.get("statement", ""),
            "payloadType": "application/vnd.in-toto+json",
            "signatures": [{"sig": envelope.get("signature", "")}],
        },
    }


def _table(value: Mapping[str, object], key: str) -> Mapping[str, object]:
    found = value.get(key)
    return found if isinstance(found, dict) else {}


def _tables(value: object) -> Iterator[Mapping[str, object]]:
    if isinstance(value, list):
        yield from (item for item in value if isinstance(item, dict))
