"""The one gateway to GnuPG: judge signatures, describe keys, keep a signing key.

Verdicts come from gpgv over a keyring that holds nothing but the given files, in a private
home that lives for one call. `gpgstatus` reads its words, `gpgkeys` makes the keyring, and
`gpghome` keeps the archive's own key.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from toolsync.model.errors import ProgramFailed
from toolsync.system.gpghome import SigningHome
from toolsync.system.gpgkeys import (
    SECONDS,
    KeyInfo,
    Subkey,
    armored_blocks,
    inspect_keys,
    merged_keyring,
    why_unread,
)
from toolsync.system.gpgpackets import SIGNATURE, packets, plain_armor, unreadable
from toolsync.system.gpgstatus import WEAK, Signature, Status, broken, parse_status
from toolsync.system.run import run

__all__ = [
    "WEAK",
    "KeyInfo",
    "Signature",
    "SigningHome",
    "Status",
    "Subkey",
    "check_detached",
    "inspect_keys",
    "is_clear_signed",
    "open_signed",
    "why_unread",
]

SIGNATURE_LIMIT = 256 * 1024
"""Bytes; a signature has some hundred, and a file of many signers some thousand."""
SIGNED_LIMIT = 8 * 1024 * 1024
"""Bytes of a clear-signed file."""
_BLOCKS = 16


def check_detached(signature: Path, data: Path, keyring: Sequence[Path]) -> tuple[Signature, ...]:
    """Return gpgv's judgement of each signature in ``signature`` over the file ``data``.

    Never empty: what is no signature (HTML, cut off, too large) comes back as one with
    status ``error`` and a note. Signatures in several armored blocks all count.
    """
    trouble = _trouble(signature, SIGNATURE_LIMIT, "SIGNATURE")
    if trouble:
        return (broken(trouble),)
    content = plain_armor(signature.read_bytes())
    blocks = armored_blocks(content, "SIGNATURE")[:_BLOCKS] or [content]
    found: list[Signature] = []
    with merged_keyring(keyring) as home:
        for block in blocks:
            found += _judged(block, home, data)
    return tuple(found)


def _judged(block: bytes, home: Path, data: Path) -> tuple[Signature, ...]:
    """Return gpgv's judgement of one block, which may hold several signatures.

    gpgv stops at a bad one, and reads only the first of different classes: where it has told
    of fewer than there are, each is judged by itself.
    """
    found = _detached(block, home, data)
    alone = [packet.whole for packet in packets(block) if packet.tag == SIGNATURE]
    if 1 < len(alone) != len(found):
        found = tuple(one for part in alone[:_BLOCKS] for one in _detached(part, home, data))
    return found


def _detached(block: bytes, home: Path, data: Path) -> tuple[Signature, ...]:
    part = home / "signature"
    part.write_bytes(block)
    found = parse_status(_gpgv(home, part, data.absolute()), inline=False)
    odd = unreadable(block, SIGNATURE) if all(one.status == "error" for one in found) else ""
    return (broken(f"is {odd}, which gpgv cannot read"),) if odd else found


def open_signed(
    signed: Path, keyring: Sequence[Path], into: Path, *, limit: int = SIGNED_LIMIT
) -> tuple[Signature, ...]:
    """Judge a file that carries its own signature and write the text it stands over to ``into``.

    Takes clear-signed text and ``gpg --sign`` files. Only signed text is written, whatever
    stands around it; nothing is, when there is none. ``limit`` bounds file and text, in bytes.
    """
    trouble = _trouble(signed, limit, "SIGNED MESSAGE")
    if trouble:
        return (broken(trouble),)
    into.unlink(missing_ok=True)
    with merged_keyring(keyring) as home:
        # A compressed text can be far larger than its file: the kernel stops that (SIGXFSZ).
        bound = ("prlimit", f"--fsize={limit}", "gpgv", "--output", str(into.absolute()))
        try:
            status = _gpgv(home, signed.absolute(), program=bound)
        except ProgramFailed:
            into.unlink(missing_ok=True)
            return (broken(f"could not be read: its text may be larger than {limit} bytes"),)
    return parse_status(status, inline=True)


def is_clear_signed(path: Path) -> bool:
    """Say whether the file holds a clear-signed text."""
    with path.open("rb") as source:
        content = source.read(SIGNED_LIMIT)
    return re.search(rb"^-----BEGIN PGP SIGNED MESSAGE-----\s*$", content, re.MULTILINE) is not None


def _gpgv(home: Path, *files: Path, program: Sequence[str] = ("gpgv",)) -> str:
    keyring = ("--homedir", str(home), "--keyring", str(home / "pubring.kbx"))
    words: tuple[str | Path, ...] = (*program, "--status-fd", "1", *keyring, "--", *files)
    return run(*words, timeout=SECONDS, ok=(0, 1, 2)).out


def _trouble(path: Path, limit: int, kind: str) -> str:
    """Return what is wrong with a signature file at first sight, empty if nothing is."""
    size = path.stat().st_size
    if size == 0:
        return "is an empty file"
    if size > limit:
        return f"is too large: {size} bytes, at most {limit} are read"
    content = plain_armor(path.read_bytes())
    if re.match(rb"\s*<(!doctype|html|\?xml|head|body)", content, re.IGNORECASE):
        return "is an HTML or XML page and no signature"
    begins = re.search(rb"^-----BEGIN PGP " + kind.encode(), content, re.MULTILINE)
    if begins and b"-----END PGP SIGNATURE-----" not in content[begins.end() :]:
        return "is cut off: it begins but does not end"
    return ""
