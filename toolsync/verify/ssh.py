"""Prove a release by an SSH signature beside it (``ssh-keygen -Y sign -n NAMESPACE``).

The keys that may sign are pinned in tool.toml as in their .pub files. A signature is made for one
use, its namespace; one that was made for another, such as git's, is refused.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from toolsync.config import keys
from toolsync.config.definition import Verify
from toolsync.model.errors import Unverified
from toolsync.model.release import Verified
from toolsync.system.ssh import KEY, MARK, SshKey, is_signed, namespace_of, signer_of
from toolsync.verify.beside import ASK, plan_for, proof_of
from toolsync.verify.method import Given, Method, over_a_file

KEYS = keys.texts(
    "SSH keys that may sign, as in a .pub file: ssh-ed25519 AAAA… NAME", pattern=KEY, least=1
)
"""The schema of ``verify.ssh``."""


def verify(given: Given) -> Verified:
    """Return the release as signed by one of ``verify.ssh``, or raise Unverified."""
    item, policy = given.item, given.tool.verify
    pinned = [SshKey.read(line) for line in policy.own["ssh"]]
    wanted = f"the SSH key {' or '.join(key.fingerprint for key in pinned)}"
    proof = proof_of(given, wanted)
    key = judged(
        *(given.store.path(item.archive), proof, pinned),
        use=policy.own.get("namespace", "file"),
        subject=item.archive.name,
    )
    name = f" ({key.comment})" if key.comment else ""
    return Verified(
        fetched=item,
        method="ssh",
        statement=f"signed by the SSH key {key.fingerprint}{name}",
        fingerprint=key.fingerprint,
    )


def judged(text: Path, proof: Path, pinned: Sequence[SshKey], *, use: str, subject: str) -> SshKey:
    """Return the pinned key that has signed ``text`` for ``use``; raise Unverified if none has."""
    content = proof.read_bytes()
    signer, wanted = signer_of(content), " or ".join(key.fingerprint for key in pinned)
    if signer is None:
        raise Unverified(
            f"the signature of {subject} is no SSH signature; wanted: one by {wanted}",
            resolution="Look at what upstream serves there; verify.signature names the place.",
        )
    ours = next((key for key in pinned if key.blob == signer.blob), None)
    if ours is None:
        raise Unverified(
            f"{subject} is signed by the SSH key {signer.fingerprint} ({signer.kind}); wanted: one"
            f" by {wanted}",
            resolution="Compare that key with a second source, such as the signer's account at the"
            " forge, and then pin its line (KIND BASE64) in verify.ssh in tool.toml.",
        )
    made_for = namespace_of(content)
    if made_for != use:
        raise Unverified(
            f"the signature of {subject} was made for the namespace {made_for!r}; wanted: {use!r}",
            resolution="It proves nothing about a release, unless upstream says that it signs so;"
            " then say it in verify.namespace in tool.toml.",
        )
    if not is_signed(text, proof, [ours], use):
        raise Unverified(
            f"{subject} has a bad signature: it names the SSH key {ours.fingerprint}, but was made"
            " over another file or over other bytes than these",
            resolution=ASK,
        )
    return ours


def knows(proof: bytes) -> bool:
    """Say whether a file is a signature of this kind."""
    return proof.startswith(MARK)


def programs(_: Verify) -> tuple[str, ...]:
    """Return the program that verifies."""
    return ("ssh-keygen",)


SSH = Method(
    name="ssh",
    about="an SSH signature beside the release, by a pinned key, for a pinned namespace",
    verify=verify,
    plan=partial(plan_for, "ssh"),
    needs=("signature", "ssh"),
    settings={
        "ssh": KEYS,
        "namespace": keys.text(
            "what an SSH signature must be for (ssh-keygen -n); `file` if not given",
            pattern=r"^[A-Za-z0-9@._-]{1,100}$",
        ),
    },
    signers=("ssh",),
    programs=programs,
    faults=over_a_file,
    endings=(".sig", ".sshsig"),
    knows=knows,
)
