"""Prove a release by the OpenPGP signature beside it.

A signature counts only when the full fingerprint of its key (primary or signing subkey) is
pinned in tool.toml and that key lies in keys/. A key in keys/ that is not pinned never counts.
An expired key is refused even for what it signed while it was valid: a signature's date is the
signer's own claim, so whoever finds an old key can sign with an old date.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial

from toolsync.config.definition import Tool
from toolsync.model.errors import SetupError
from toolsync.model.release import Verified
from toolsync.system.gpg import Signature, check_detached, inspect_keys, why_unread
from toolsync.verify.beside import plan_for
from toolsync.verify.method import Given, Method, over_a_file
from toolsync.verify.refusal import missing_signature, refusal
from toolsync.verify.trust import Trust, date_of, findings, statement

_TELLING = ("good", "revoked-key", "expired-key", "expired-signature", "bad", "error")
"""Of several refused signatures, which one explains the refusal best."""


def verify(given: Given) -> Verified:
    """Return the release as proved by a pinned key, or raise Unverified or SetupError."""
    item, tool, store = given.item, given.tool, given.store
    trust = trust_of(tool, given.now)
    blob = item.extra(role="signature")
    if blob is None:
        raise missing_signature(item.archive.name, trust.wanted())
    found = check_detached(store.path(blob), store.path(item.archive), tool.keyring)
    signature = accept(found, trust, item.archive.name)
    return Verified(
        fetched=item,
        method="openpgp",
        statement=statement(signature, trust),
        fingerprint=signature.primary,
        signed_at=date_of(signature),
        findings=findings(signature, trust),
    )


OPENPGP = Method(
    name="openpgp",
    about="an OpenPGP signature beside the release, by a pinned key",
    verify=verify,
    plan=partial(plan_for, "openpgp"),
    needs=("signature", "keys"),
    signers=("keys",),
    endings=(".asc", ".sig", ".sign", ".gpg", ".pgp"),
    faults=over_a_file,
)


def trust_of(tool: Tool, now: datetime) -> Trust:
    """Return the tool's pinned keys; raise SetupError for a pin without its key in keys/."""
    pinned = frozenset(tool.verify.keys)
    if not pinned:
        raise SetupError(
            f"{tool.name} pins no key: verify.keys in {tool.editable} is empty",
            resolution="Pin the full fingerprint of upstream's signing key there.",
        )
    keys = inspect_keys(tool.keyring)
    known = {name for key in keys for name in key.fingerprints}
    missing = sorted(pinned - known)
    if missing:
        unread = why_unread(tool.keyring)
        raise SetupError(
            f"{tool.name} pins {', '.join(missing)}, but {tool.folder / 'keys'} has no such key"
            f" (it has {', '.join(sorted(key.fingerprint for key in keys)) or 'none'})"
            f"{f'; {unread}' if unread else ''}",
            resolution="Put upstream's armored key there as NAME.asc, after comparing its"
            " fingerprint with a second source.",
        )
    return Trust(pinned=pinned, keys=keys, now=now, renew=str(tool.folder / "keys"))


def accept(found: Sequence[Signature], trust: Trust, subject: str) -> Signature:
    """Return the good signature by a pinned key, or raise Unverified saying why there is none.

    ``subject`` names the signed file. One good pinned signature is enough: what others sign
    beside it proves nothing, but takes nothing away either.
    """
    judged = [_dated(signature, trust) for signature in found]
    for signature in judged:
        if signature.status == "good" and trust.counts(signature):
            return signature
    ours = [signature for signature in judged if trust.counts(signature)]
    telling = min(ours or judged, key=_rank)
    raise refusal(telling, trust, subject)


def _dated(signature: Signature, trust: Trust) -> Signature:
    """Return the signature as it stands at ``trust.now``, which may be later than gpgv's."""
    key = trust.key(signature)
    end = key.end_of(signature.fingerprint) if key else None
    if signature.status == "good" and end is not None and end <= trust.now:
        return replace(signature, status="expired-key")
    return signature


def _rank(signature: Signature) -> int:
    status = signature.status
    return _TELLING.index(status) if status in _TELLING else len(_TELLING)
