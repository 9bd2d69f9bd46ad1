"""Prove a release by OpenBSD's signify(1): a signature beside it, or a signed list of checksums.

A public key is pinned in tool.toml as signify prints it. The signature holds no name of a file; a
list that carries its signature (``signify -S -e``, as OpenBSD's SHA256.sig) does, and is then read
as any other list of checksums is.
"""

from __future__ import annotations

import re
import shutil
import tempfile
from functools import partial
from pathlib import Path

from toolsync.config.definition import Verify
from toolsync.model.errors import Unverified
from toolsync.model.release import Verified
from toolsync.system.run import run
from toolsync.verify import checksum
from toolsync.verify.beside import ASK, LIMIT, plan_for, proof_of, raw_keys, said
from toolsync.verify.method import Given, Method, over_a_file
from toolsync.verify.sumlines import as_text

PROGRAM = "signify-openbsd"
_SECONDS = 600
_HEAD = re.compile(rb"untrusted comment: [^\n]*\n[A-Za-z0-9+/=]+\n")


def verify(given: Given) -> Verified:
    """Return the release as signed by one of ``verify.signify``, or raise Unverified."""
    item, pinned = given.item, given.tool.verify.own["signify"]
    wanted = f"the signify key {' or '.join(pinned)}"
    proof, name = proof_of(given, wanted), item.archive.name
    refused = ""
    for key in pinned:
        signed, refused = _judged(given.store.path(item.archive), proof, key)
        if refused:
            continue
        if signed is None:
            statement = f"signed by the signify key {key}"
            return Verified(fetched=item, method="signify", statement=statement, fingerprint=key)
        names = checksum.names_at(item.release.url, item.release.filename)
        found = checksum.match(as_text(signed), given.store.path(item.archive), names)
        return Verified(
            fetched=item,
            method="signify",
            statement=f"{found.used} as stated by a list signed by the signify key {key}",
            fingerprint=key,
            listed=found.name,
        )
    raise Unverified(
        f"{name} has no good signify signature by {' or '.join(pinned)}: {refused}", resolution=ASK
    )


def knows(proof: bytes) -> bool:
    """Say whether a file is a signature of this kind, and not one of minisign's."""
    return bool(_HEAD.match(proof)) and b"\ntrusted comment: " not in proof


def _judged(archive: Path, proof: Path, key: str) -> tuple[bytes | None, str]:
    """Return the list that a signature carries, if any, and what signify says against it.

    It is given names of its own: it takes ``-`` for its input and a dash for an option.
    """
    with tempfile.TemporaryDirectory(prefix="toolsync-signify-") as folder:
        pinned, signature, text = (Path(folder, name) for name in ("key", "signature", "list"))
        pinned.write_text(f"untrusted comment: pinned\n{key}\n", encoding="ascii")
        shutil.copyfile(proof, signature)
        data = signature.read_bytes()
        head = _HEAD.match(data)
        carries = head is not None and len(data) > head.end()
        words = ("-e", "-m", text) if carries else ("-m", archive.absolute())
        done = run(
            *(PROGRAM, "-V", "-p", pinned, "-x", signature, *words),
            timeout=_SECONDS,
            ok=range(256),
        )
        if done.code:
            return None, said(done.tail, PROGRAM, done.code, folder)
        if not carries:
            return None, ""
        if text.stat().st_size > LIMIT:
            return None, f"its list has more than {LIMIT} bytes"
        return text.read_bytes(), ""


def programs(_: Verify) -> tuple[str, ...]:
    """Return the program that verifies."""
    return (PROGRAM,)


SIGNIFY = Method(
    name="signify",
    about="a signify signature beside the release, or a list that carries one, by a pinned key",
    verify=verify,
    plan=partial(plan_for, "signify"),
    needs=("signature", "signify"),
    settings=raw_keys("signify"),
    signers=("signify",),
    programs=programs,
    faults=over_a_file,
    endings=(".sig", ".signify"),
    knows=knows,
)
