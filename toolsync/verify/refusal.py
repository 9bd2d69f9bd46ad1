"""The sentences with which a signature is refused: found, wanted, next step; one each."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from toolsync.model.errors import Unverified
from toolsync.system.gpg import Signature
from toolsync.verify.trust import Trust, signer, unfit


class MissingProof(Unverified):
    """There is nothing that could be checked: no signature, or no line for this file."""

    verdict = "missing-signature"


class WeakProof(Unverified):
    """There is a signature, and it rests on what can be forged: it says nothing either way."""


class NoKeyring(Unverified):
    """A proof is there, and no key to check it with."""

    verdict = "no-keyring"


def missing_signature(subject: str, wanted: str) -> MissingProof:
    """Return the refusal of a file that has no signature at all."""
    return MissingProof(
        f"{subject} has a missing signature: none was found beside it; wanted: one by {wanted}",
        resolution="Look whether upstream has moved it; verify.signature in tool.toml names the"
        " place. A release that used to be signed and no longer is, is a warning.",
    )


def refusal(signature: Signature, trust: Trust, subject: str) -> Unverified:
    """Return why this signature does not prove ``subject``."""
    if signature.weak and signature.status == "error":
        return _weak(signature, trust, subject)
    if signature.status == "error":
        return _unreadable(signature, trust, subject)
    if not trust.counts(signature):
        return _stranger(signature, trust, subject)
    return _OURS[signature.status](signature, trust, subject)


def _stranger(signature: Signature, trust: Trust, subject: str) -> Unverified:
    return Unverified(
        f"{subject} is signed by another key: {signer(signature, trust)}, not by {trust.wanted()}",
        resolution="Ask upstream. If the key has changed, put the new one into"
        f" {trust.renew} and its full fingerprint into verify.keys in tool.toml.",
    )


def _bad(signature: Signature, trust: Trust, subject: str) -> Unverified:
    return Unverified(
        f"{subject} has a bad signature: it names the key {signer(signature, trust)}, but was"
        " made over another file or over other bytes than these",
        resolution="Compare with another copy of the release; if upstream's own page gives these"
        " bytes, tell upstream, and do not approve it.",
    )


def _expired_signature(signature: Signature, trust: Trust, subject: str) -> Unverified:
    end = f" on {signature.expires:%Y-%m-%d}" if signature.expires else ""
    return Unverified(
        f"{subject} has an expired signature: the one by {signer(signature, trust)} ended{end};"
        " wanted: one that still counts",
        resolution="Ask upstream to sign the release anew.",
    )


def _expired_key(signature: Signature, trust: Trust, subject: str) -> Unverified:
    key = trust.key(signature)
    end = key.end_of(signature.fingerprint) if key else None
    what, which = unfit(signature, trust, revoked=False)
    return Unverified(
        f"{subject} is signed by an expired {what}: {which} ended"
        f"{f' on {end:%Y-%m-%d}' if end else ''}; wanted: a key that still counts",
        resolution="The owner may have extended it (same key, later date): get it afresh from"
        f" upstream, compare the fingerprint, and refresh it in {trust.renew}.",
    )


def _revoked(signature: Signature, trust: Trust, subject: str) -> Unverified:
    what, which = unfit(signature, trust, revoked=True)
    return Unverified(
        f"{subject} is signed by a revoked {what}: its owner has declared {which} unfit",
        resolution="Find out from upstream why, and which key takes its place; pin that one and"
        " remove this one from verify.keys.",
    )


def _weak(signature: Signature, trust: Trust, subject: str) -> Unverified:
    return WeakProof(
        f"{subject} is signed with a weak hash: the signature by {signer(signature, trust)} rests"
        f" on {signature.hash}, which can be forged; wanted: SHA-256 or better",
        resolution="Ask upstream to sign with SHA-256 or SHA-512; until then, pin the digest of"
        " each checked release (method pins).",
    )


def _unreadable(signature: Signature, trust: Trust, subject: str) -> Unverified:
    return Unverified(
        f"the signature of {subject} {signature.note}; wanted: an OpenPGP signature by"
        f" {trust.wanted()}",
        resolution="Look at what upstream serves there; verify.signature in tool.toml names the"
        " place.",
    )


_OURS: Mapping[str, Callable[[Signature, Trust, str], Unverified]] = {
    "bad": _bad,
    "expired-signature": _expired_signature,
    "expired-key": _expired_key,
    "revoked-key": _revoked,
}
"""The sentence for each way in which a pinned key's signature does not count."""
