"""Judge one file with what lies beside it, for hands, scripts and watch files.

Where a tool is named, its pins and pinned keys rule, exactly as in a run. With a bare keyring
(such as debian/upstream/signing-key.asc) every key in it counts, for the file itself is the
pin; there, what a key signed before it expired is accepted with a word of warning, because a
package's keyring is seldom refreshed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal

from toolsync.config.definition import Tool
from toolsync.model.errors import Unverified
from toolsync.system.gpg import Signature, check_detached, inspect_keys, open_signed, why_unread
from toolsync.system.store import digest_of
from toolsync.verify import checksum
from toolsync.verify.alone import beside, prove
from toolsync.verify.method import Method
from toolsync.verify.openpgp import OPENPGP, accept, trust_of
from toolsync.verify.refusal import MissingProof, WeakProof
from toolsync.verify.trust import Trust, ahead, date_of, statement

Verdict = Literal["good", "bad", "missing-signature", "no-keyring", "unchecked"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """What is known of a file's origin."""

    verdict: Verdict
    sentence: str
    resolution: str = ""
    fingerprint: str = ""
    """The primary key that signed, where one did."""
    signed_at: str = ""
    """When it says that it signed."""
    listed: str = ""
    """The name that a signed checksum file gives the file, where one proves it."""
    lacks: bool = False
    """Whether it is refused only for want of a proof that counts: nothing speaks against it."""


def verify_file(
    path: Path,
    *,
    now: datetime,
    keyring: Sequence[Path] = (),
    tool: Tool | None = None,
    method: Method | None = None,
    signature: Path | None = None,
    checksums: Path | None = None,
    checksums_signature: Path | None = None,
    names: Sequence[str] = (),
) -> Checked:
    """Return the verdict on the file at ``path``; refusals are values here, not errors.

    ``names`` are those that a checksum file may give it; its own and its path, if none are given.
    ``signature`` is looked for beside the file when it is not given. A tool brings its own
    keys and pins; ``method`` is its record. A keyring always means "verify": with one, a file
    without a signature (or signed checksums) is ``missing-signature``. Raises SetupError for a pin
    without its key.
    """
    if tool is not None and tool.verify.method == "pins":
        return _by_pin(path, tool)
    if method is not None and method.endings and method is not OPENPGP and tool and not checksums:
        return _by_method(path, signature, tool, method, now)
    files = tuple(keyring) if tool is None else tool.keyring
    proof = signature or beside(path, OPENPGP)
    trust = _trust(tool, files, now)
    try:
        if checksums is not None:
            known = tuple(names) or checksum.paths_of(path.name, path.absolute().parts)
            return _by_sums(path, known, checksums, checksums_signature, files, trust)
        if proof is None:
            return _without(path, trust)
        if trust is None:
            return _no_keyring(path, proof, files)
        found = check_detached(proof, path, files)
        return _accepted(found, trust, path.name, lenient=tool is None)
    except Unverified as error:
        return _refused(error)


def verify_signed(
    path: Path, *, into: Path, keyring: Sequence[Path], now: datetime, limit: int
) -> Checked:
    """Judge a file that carries its own signature (``gpg --sign``) and write its text to ``into``.

    ``limit`` bounds file and text, in bytes. Unless the verdict is good, ``into`` is not there.
    """
    trust = _whole(keyring, now)
    if trust is None:
        return _no_keyring(path, path, keyring)
    try:
        found = open_signed(path, keyring, into, limit=limit)
        return _accepted(found, trust, path.name, lenient=True)
    except Unverified as error:
        into.unlink(missing_ok=True)
        return _refused(error)


def _trust(tool: Tool | None, files: Sequence[Path], now: datetime) -> Trust | None:
    """Return trust in a tool's pinned keys (never in others of its keys/), or in a keyring."""
    if tool is None:
        return _whole(files, now)
    return trust_of(tool, now) if tool.verify.keys else None


def _whole(files: Sequence[Path], now: datetime) -> Trust | None:
    """Return trust in every key of a keyring, None when there is none."""
    if not files:
        return None
    keys = inspect_keys(files)
    pinned = frozenset(key.fingerprint for key in keys)
    where = ", ".join(str(file) for file in files)
    return Trust(pinned=pinned, keys=keys, now=now, renew=where) if keys else None


def _accepted(found: Sequence[Signature], trust: Trust, name: str, *, lenient: bool) -> Checked:
    try:
        signature, remark = accept(found, trust, name), ""
    except Unverified:
        early = next((one for one in found if lenient and _in_time(one, trust)), None)
        if early is None:
            raise
        signature, remark = early, "; the key has expired since: refresh it in " + trust.renew
    if odd := ahead(signature, trust):
        remark += f"; {odd}"
    return Checked(
        verdict="good",
        sentence=f"{name} is {statement(signature, trust)}{remark}",
        fingerprint=signature.primary,
        signed_at=date_of(signature),
    )


def _in_time(signature: Signature, trust: Trust) -> bool:
    """Say whether an expired key of ours says that it signed before it expired."""
    key = trust.key(signature)
    end = key.end_of(signature.fingerprint) if key else None
    made = signature.created
    expired = signature.status == "expired-key" and trust.counts(signature) and not signature.weak
    return expired and end is not None and made is not None and made < end


def _by_pin(path: Path, tool: Tool) -> Checked:
    digest = digest_of(path)[0]
    versions = [version for version, pin in tool.verify.pins.items() if pin == digest]
    if versions:
        return Checked(
            verdict="good",
            sentence=f"{path.name} is {tool.name} {versions[0]}: sha256 {digest} is pinned",
        )
    return Checked(
        verdict="bad",
        sentence=f"{path.name} is no pinned file of {tool.name}: its sha256 is {digest}",
        resolution=f"Once it is checked by hand, pin it in {tool.editable}.",
    )


def _by_method(
    path: Path, signature: Path | None, tool: Tool, method: Method, now: datetime
) -> Checked:
    """Return what a tool's own method says of a file with a signature beside it."""
    try:
        found = prove(path, signature or beside(path, method), tool, method, now)
    except Unverified as error:
        return _refused(error)
    return Checked(
        verdict="good",
        sentence=f"{path.name} is {found.statement}",
        fingerprint=found.fingerprint,
        signed_at=found.signed_at,
        listed=found.listed,
    )


def _by_sums(
    path: Path,
    names: Sequence[str],
    sums: Path,
    proof: Path | None,
    files: Sequence[Path],
    trust: Trust | None,
) -> Checked:
    text, signature = checksum.read_list(sums, proof, files, trust, sums.name)
    found = checksum.match(text, path, names)
    used = found.used
    if signature is None or trust is None:
        sentence = f"{path.name} matches {sums.name} ({used}), which nobody is known to have signed"
        return Checked(verdict="good", sentence=sentence)
    odd = f"; {early}" if (early := ahead(signature, trust)) else ""
    return Checked(
        verdict="good",
        sentence=f"{path.name} matches {sums.name} ({used}), {statement(signature, trust)}{odd}",
        fingerprint=signature.primary,
        signed_at=date_of(signature),
        listed=found.name,
    )


def _without(path: Path, trust: Trust | None) -> Checked:
    if trust is None:
        return Checked(
            verdict="unchecked",
            sentence=f"{path.name} is unchecked: no signature lies beside it and no key is given",
            resolution="Name the tool that it belongs to, or a keyring and a signature.",
        )
    return Checked(
        verdict="missing-signature",
        sentence=f"{path.name} has a missing signature; wanted: one by {trust.wanted()}",
        resolution=f"Put it beside the file as {path.name}.asc or {path.name}.sig.",
    )


def _no_keyring(path: Path, proof: Path, files: Sequence[Path]) -> Checked:
    why = f": {told}" if (told := why_unread(files)) else ""
    return Checked(
        verdict="no-keyring",
        sentence=f"{path.name} cannot be checked: {proof.name} is there, but no key to check it"
        f"{why}",
        resolution="Give upstream's armored key (keys/NAME.asc of a tool, or"
        " debian/upstream/signing-key.asc).",
    )


def _refused(error: Unverified) -> Checked:
    missing = isinstance(error, MissingProof)
    return Checked(
        verdict="missing-signature" if missing else "bad",
        sentence=str(error),
        resolution=error.resolution,
        lacks=missing or isinstance(error, WeakProof),
    )
