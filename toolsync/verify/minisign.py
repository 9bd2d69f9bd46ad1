"""Prove a release by the minisign signature beside it (minisign(1)).

A public key is pinned in tool.toml as minisign prints it. The trusted comment is signed too: where
it names a file, it must be this one, else an old file could be passed off as a new one.
"""

from __future__ import annotations

import re
import shutil
import tempfile
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from toolsync.config.definition import Verify
from toolsync.model.errors import Unverified
from toolsync.model.release import Verified
from toolsync.system.clock import stamp
from toolsync.system.run import run
from toolsync.verify.beside import ASK, plan_for, proof_of, raw_keys, said
from toolsync.verify.method import Given, Method, over_a_file

_SECONDS = 600


def verify(given: Given) -> Verified:
    """Return the release as signed by one of ``verify.minisign``, or raise Unverified."""
    item, pinned = given.item, given.tool.verify.own["minisign"]
    proof = proof_of(given, f"the minisign key {' or '.join(pinned)}")
    archive = given.store.path(item.archive)
    refused = ""
    for key in pinned:
        comment, refused = _judged(archive, proof, key)
        if not refused:
            _see_name(comment, item.release.filename)
            return Verified(
                fetched=item,
                method="minisign",
                statement=f"signed by the minisign key {key} ({comment})",
                fingerprint=key,
                signed_at=_moment(comment),
            )
    raise Unverified(
        f"{item.archive.name} has no good minisign signature by {' or '.join(pinned)}: {refused}",
        resolution=ASK,
    )


def _judged(archive: Path, proof: Path, key: str) -> tuple[str, str]:
    """Return the trusted comment, and what minisign says against the signature, empty if nothing.

    It is given names of its own: it takes what follows a dash for an option.
    """
    with tempfile.TemporaryDirectory(prefix="toolsync-minisign-") as folder:
        signature = Path(shutil.copyfile(proof, Path(folder, "signature")))
        words = ("minisign", "-V", "-P", key, "-m", archive.absolute(), "-x", signature)
        done = run(*words, timeout=_SECONDS, ok=range(256))
        if done.code:
            return "", said(done.tail, "minisign", done.code, folder)
    comment = done.out.partition("Trusted comment: ")[2]
    return " ".join(comment.split()), ""


def _see_name(comment: str, name: str) -> None:
    """Raise Unverified where the trusted comment names another file."""
    told = re.search(r"\bfile:(\S+)", comment)
    if told and told[1].rpartition("/")[2] != name:
        raise Unverified(
            f"{name} was signed as {told[1]}: the trusted comment is {comment!r}; wanted: its own"
            " name",
            resolution="Ask upstream: an old file under a new name proves nothing.",
        )


def _moment(comment: str) -> str:
    """Return when it was signed, by the signer's word; empty where the comment does not say."""
    told = re.search(r"\btimestamp:(\d{1,11})\b", comment)
    return stamp(datetime.fromtimestamp(int(told[1]), UTC)) if told else ""


def knows(proof: bytes) -> bool:
    """Say whether a file is a signature of this kind."""
    return proof.startswith(b"untrusted comment:") and b"\ntrusted comment:" in proof


def programs(_: Verify) -> tuple[str, ...]:
    """Return the program that verifies."""
    return ("minisign",)


MINISIGN = Method(
    name="minisign",
    about="a minisign signature beside the release, by a pinned public key",
    verify=verify,
    plan=partial(plan_for, "minisign"),
    needs=("signature", "minisign"),
    settings=raw_keys("minisign"),
    signers=("minisign",),
    programs=programs,
    faults=over_a_file,
    endings=(".minisig",),
    knows=knows,
)
