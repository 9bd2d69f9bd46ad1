"""The one gateway to ssh-keygen: SSH signatures (OpenSSH's PROTOCOL.sshsig), as git makes them.

Whose key may sign is what the caller says; neither ~/.ssh nor any configuration is read.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from toolsync.system.run import run

MARK = b"-----BEGIN SSH SIGNATURE-----"
KEY = (
    r"^(ssh-ed25519|ssh-rsa|ecdsa-sha2-nistp(256|384|521)"
    r"|sk-(ssh-ed25519|ecdsa-sha2-nistp256)@openssh\.com) [A-Za-z0-9+/]{20,}={0,2}( |$)"
)
"""What a public key's line looks like (sshd(8)); no options, no certificates."""
_BLOCK = re.compile(rb"-----BEGIN SSH SIGNATURE-----\s(.*?)-----END SSH SIGNATURE-----", re.DOTALL)
_SECONDS = 300
_SIGNER = "upstream"


@dataclass(frozen=True, slots=True)
class SshKey:
    """A public key."""

    kind: str
    """Such as ``ssh-ed25519``."""
    blob: str
    """In base64."""
    comment: str = ""

    @classmethod
    def read(cls, line: str) -> SshKey:
        """Return the key of a line ``KIND BASE64 COMMENT``."""
        kind, blob, *comment = line.split()
        return cls(kind, blob, " ".join(comment))

    @property
    def fingerprint(self) -> str:
        """Its digest in the form that ``ssh-keygen -l`` prints, after ``SHA256:``."""
        digest = hashlib.sha256(base64.b64decode(self.blob)).digest()
        return f"SHA256:{base64.b64encode(digest).decode().rstrip('=')}"


def signer_of(signature: bytes) -> SshKey | None:
    """Return the key that a signature says it was made by; None where it cannot be read."""
    found = _BLOCK.search(signature)
    try:
        data = base64.b64decode(found[1]) if found else b""
        if data[:6] != b"SSHSIG":
            return None
        blob = _string(data[10:])
        kind = _string(blob).decode("ascii")
        plain = re.fullmatch(r"[a-z0-9@.-]{1,64}", kind)  # it is shown to people
        return SshKey(kind, base64.b64encode(blob).decode()) if plain else None
    except (binascii.Error, UnicodeError, ValueError):
        return None


def namespace_of(signature: bytes) -> str:
    """Return what a signature says it was made for, empty where it cannot be read."""
    found = _BLOCK.search(signature)
    try:
        data = base64.b64decode(found[1])[10:] if found else b""
        blob = _string(data)
        return _string(data[4 + len(blob) :]).decode()[:100]
    except (binascii.Error, UnicodeError, ValueError):
        return ""


def _string(data: bytes) -> bytes:
    size = int.from_bytes(data[:4], "big")
    if len(data) < 4 + size:
        raise ValueError("a string ends too early")
    return data[4 : 4 + size]


def is_signed(text: Path, signature: Path, keys: Sequence[SshKey], namespace: str) -> bool:
    """Say whether one of ``keys`` has signed ``text`` in ``namespace`` (``git`` for tags)."""
    with tempfile.TemporaryDirectory(prefix="toolsync-ssh-") as folder:
        allowed = Path(folder, "allowed")
        lines = [f'{_SIGNER} namespaces="{namespace}" {key.kind} {key.blob}\n' for key in keys]
        allowed.write_text("".join(lines), encoding="ascii")
        words = ("-Y", "verify", "-f", allowed, "-I", _SIGNER, "-n", namespace, "-s", signature)
        return run("ssh-keygen", *words, timeout=_SECONDS, given=text, ok=range(256)).code == 0
