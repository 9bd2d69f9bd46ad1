"""The envelope: DSSE v1 around the statement, with one detached OpenPGP signature.

What is signed is the pre-authentication encoding (PAE) of the DSSE protocol, so neither the
payload nor its type can be read as something else. Read strictly: one signature, no key twice,
nothing that DSSE does not know.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from toolsync.model.errors import Unverified

MEDIA = "application/vnd.in-toto+json"
MOST = 64 * 1024 * 1024
"""Bytes of an envelope; one of a thousand packages has less."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """A statement's bytes and who says to have signed them."""

    payload: bytes
    signature: bytes
    """A detached OpenPGP signature, not armored."""
    keyid: str
    """The primary key's full fingerprint."""


def pae(payload: bytes) -> bytes:
    """Return what is signed: ``DSSEv1``, type and payload, each with its length."""
    kind = MEDIA.encode()
    return b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)


def sealed(envelope: Envelope) -> bytes:
    """Return an envelope as the file that it is kept and given away as."""
    return (
        json.dumps(
            {
                "payloadType": MEDIA,
                "payload": base64.b64encode(envelope.payload).decode(),
                "signatures": [
                    {
                        "keyid": envelope.keyid,
                        "sig": base64.b64encode(envelope.signature).decode(),
                    }
                ],
            },
            indent=1,
        )
        + "\n"
    ).encode()


def read_envelope(data: bytes) -> Envelope:
    """Return what an envelope holds, its signature unjudged; raises Unverified with the place."""
    if len(data) > MOST:
        raise _wrong("envelope", f"has {len(data)} bytes; wanted at most {MOST}")
    outer = read_json(data, "envelope")
    _only(outer, "envelope", ("payloadType", "payload", "signatures"))
    if outer["payloadType"] != MEDIA:
        raise _wrong("envelope.payloadType", f"is {outer['payloadType']!r}; wanted {MEDIA!r}")
    signatures = outer["signatures"]
    if not isinstance(signatures, list) or len(signatures) != 1:
        raise _wrong("envelope.signatures", "is no list of exactly one signature")
    _only(signatures[0], "envelope.signatures[0]", ("keyid", "sig"))
    return Envelope(
        payload=_bytes(outer["payload"], "envelope.payload"),
        signature=_bytes(signatures[0]["sig"], "envelope.signatures[0].sig"),
        keyid=str(signatures[0]["keyid"]),
    )


def read_json(data: bytes, place: str) -> Any:
    """Return the JSON in ``data``; raises Unverified for none, or for a key that is there twice."""

    def once(pairs: list[tuple[str, object]]) -> dict[str, object]:
        found = dict(pairs)
        if len(found) != len(pairs):
            raise _wrong(place, "has a key twice, so that it can be read in two ways")
        return found

    try:
        return json.loads(data.decode("utf-8"), object_pairs_hook=once)
    except (ValueError, RecursionError) as error:
        raise _wrong(place, f"is no JSON: {error}") from error


def _only(found: object, place: str, names: Sequence[str]) -> None:
    if not isinstance(found, dict) or set(found) != set(names):
        raise _wrong(place, f"is no object of exactly {', '.join(names)}")


def _bytes(text: Any, place: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, TypeError, ValueError) as error:
        raise _wrong(place, f"is no base64: {error}") from error


def _wrong(place: str, problem: str) -> Unverified:
    return Unverified(
        f"{place} {problem}",
        resolution="Get the file anew: toolsync evidence TOOL VERSION --output DIR.",
    )
