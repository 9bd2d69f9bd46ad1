"""Which keys may sign, who they are, and when they end."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from toolsync.model.release import Finding
from toolsync.system.gpg import KeyInfo, Signature

SOON = timedelta(days=30)
"""How long before its end a key is reported."""


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


def findings(signature: Signature, trust: Trust) -> tuple[Finding, ...]:
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


def _name(key: KeyInfo) -> str:
    first = key.user_ids[0] if key.user_ids else ""
    return first.split(" <")[0].strip().replace("(", "").replace(")", "")
