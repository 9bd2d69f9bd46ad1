"""Which keys may sign, who they are, and when they end."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from toolsync.model.release import Finding
from toolsync.system.clock import stamp
from toolsync.system.gpg import KeyInfo, Signature

SOON = timedelta(days=30)
"""How long before its end a key is reported."""
_SKEW = timedelta(minutes=30)
"""By how much a signer's clock may be ahead of ours (sqv's tolerance)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trust:
    """The keys that may sign, and when that is asked."""

    pinned: frozenset[str]
    """Full fingerprints of primary keys or signing subkeys."""
    keys: tuple[KeyInfo, ...]
    now: datetime
    renew: str = "keys/"
    """Where a key is to be refreshed, for a resolution's text."""

    def counts(self, signature: Signature) -> bool:
        """Say whether a signature is by a pinned key."""
        return bool({signature.primary, signature.fingerprint} & self.pinned)

    def key(self, signature: Signature) -> KeyInfo | None:
        """Return the key that made a signature, if it is one of ours."""
        names = {signature.primary, signature.fingerprint}
        return next((key for key in self.keys if names & set(key.fingerprints)), None)

    def wanted(self) -> str:
        """Return the pinned fingerprints as a phrase."""
        return " or ".join(sorted(self.pinned))


def statement(signature: Signature, trust: Trust) -> str:
    """Return who signed and when, for changelog and evidence."""
    key = trust.key(signature)
    name = _name(key) if key else ""
    day = f" on {signature.created:%Y-%m-%d}" if signature.created else ""
    return f"signed by {signature.primary}{f' ({name})' if name else ''}{day}"


def ahead(signature: Signature, trust: Trust) -> str:
    """Return what there is to say of a signature that says it is from the future, or ""."""
    made = signature.created
    if made is None or made <= trust.now + _SKEW:
        return ""
    return f"the signature says that it was made on {made:%Y-%m-%d}, which is yet to come"


def date_of(signature: Signature) -> str:
    """Return when a signature says that it was made, empty where it does not say."""
    return stamp(signature.created) if signature.created else ""


def findings(signature: Signature, trust: Trust) -> tuple[Finding, ...]:
    """Return findings about a signature that counts: from the future, by a key that ends soon."""
    odd = ahead(signature, trust)
    message = f"{odd}: the signer's clock was wrong, or this machine's is; sqv refuses it"
    early = Finding(stage="verify", code="signed-in-future", severity="risky", message=message)
    return (*((early,) if odd else ()), *_ending(signature, trust))


def _ending(signature: Signature, trust: Trust) -> tuple[Finding, ...]:
    """Return a finding for each pinned key that stops counting within 30 days.

    The key that signed is judged with its subkey; pinned keys that have ended are no news.
    """
    ends: dict[str, datetime | None] = {}
    for key in trust.keys:
        for name in trust.pinned & set(key.fingerprints):
            ends[name] = key.end_of(name)
    signer = trust.key(signature)
    if signer:
        ends[signature.fingerprint] = signer.end_of(signature.fingerprint)
        ends.setdefault(signature.primary, signer.expires)
    soon = {
        name: end
        for name, end in sorted(ends.items())
        if end is not None and trust.now < end <= trust.now + SOON
    }
    return tuple(
        Finding(
            stage="verify",
            code="key-expires-soon",
            severity="risky",
            message=f"the signing key {name} expires on {end:%Y-%m-%d}, in"
            f" {(end - trust.now).days} days: refresh it in {trust.renew}",
        )
        for name, end in soon.items()
    )


def signer(signature: Signature, trust: Trust) -> str:
    """Return the key behind a signature as far as it is known: fingerprint and name."""
    key = trust.key(signature)
    name = _name(key) if key else ""
    full = signature.primary or signature.fingerprint
    return f"{full} ({name})" if name else full


def unfit(signature: Signature, trust: Trust, *, revoked: bool) -> tuple[str, str]:
    """Return what was revoked, or has ended, as ``key`` or ``subkey``, and which one it is."""
    whole, key = signer(signature, trust), trust.key(signature)
    for subkey in key.subkeys if key else ():
        if key is None or subkey.fingerprint != signature.fingerprint:
            continue
        end = key.end_of(subkey.fingerprint)
        if not key.revoked if revoked else end != key.expires:
            return "subkey", f"{subkey.fingerprint}, a subkey of {whole}"
    return "key", whole


def _name(key: KeyInfo) -> str:
    first = key.user_ids[0] if key.user_ids else ""
    return first.split(" <")[0].strip().replace("(", "").replace(")", "")
