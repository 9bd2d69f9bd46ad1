"""Throw-away OpenPGP keys, made by the real gpg in a home that lives as long as its block.

Nothing here is a fixture file: keys are made, dated, extended and revoked at test time,
with gpg's own ``--faked-system-time`` where a past moment is needed.
"""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

LONG_AGO = "20200101T000000"
BEFORE = "20240101T000000"
AFTER = "20260101T000000"


class Keys:
    """A GnuPG home with secret keys, for the side that signs."""

    def __init__(self, home: Path) -> None:
        self.home = home

    def make(
        self, name: str, *, at: str = LONG_AGO, expire: str = "never", kind: str = "ed25519"
    ) -> str:
        """Make a signing key called ``name`` and return its full fingerprint."""
        user = f"{name} <{name.replace(' ', '-').lower()}@keys.invalid>"
        out = self.gpg("--quick-generate-key", "--", user, kind, "sign", expire, at=at)
        return next(line.split()[3] for line in out.splitlines() if " KEY_CREATED " in line)

    def add_subkey(self, fingerprint: str, *, at: str = LONG_AGO, expire: str = "never") -> str:
        """Give a key a signing subkey, with which it signs from then on."""
        self.gpg("--quick-add-key", fingerprint, "ed25519", "sign", expire, at=at)
        lines = self.gpg("--with-colons", "--list-keys", fingerprint, at=at).splitlines()
        return [line.split(":")[9] for line in lines if line.startswith("fpr:")][-1]

    def extend(self, fingerprint: str, *, expire: str = "never", at: str = BEFORE) -> None:
        """Re-date a key: same key, new self-signature."""
        self.gpg("--quick-set-expire", fingerprint, expire, at=at)

    def revoke(self, fingerprint: str) -> None:
        """Revoke a key with the certificate that gpg made for it."""
        text = (self.home / "openpgp-revocs.d" / f"{fingerprint}.rev").read_text()
        certificate = self.home / "revocation"
        certificate.write_text(text.replace(":-----BEGIN", "-----BEGIN"))
        self.gpg("--import", str(certificate))

    def revoke_subkey(self, fingerprint: str) -> None:
        """Revoke a key's first subkey."""
        answers = "key 1\nrevkey\ny\n0\n\ny\nsave\n"
        self.gpg("--command-fd=0", "--edit-key", fingerprint, given=answers)

    def export(self, path: Path, *fingerprints: str) -> Path:
        """Write the public keys, armored, to ``path``."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        self.gpg("--armor", "--output", str(path), "--export", *fingerprints)
        return path

    def sign(
        self,
        data: Path,
        out: Path,
        *fingerprints: str,
        at: str = BEFORE,
        how: Sequence[str] = ("--armor", "--detach-sign"),
        options: Sequence[str] = (),
    ) -> Path:
        """Sign ``data`` with each key into ``out``: detached and armored, or as ``how`` says."""
        users = [word for name in fingerprints for word in ("--local-user", name)]
        self.gpg(*users, *options, "--yes", "--output", str(out), *how, str(data), at=at)
        return out

    def gpg(self, *words: str, at: str = "", given: str = "") -> str:
        """Run gpg in this home, at a faked time if wanted, and return its status lines."""
        faked = [f"--faked-system-time={at}!"] if at else []
        command = ["gpg", "--homedir", str(self.home), "--batch", "--no-tty", "--quiet", *faked]
        command += ["--pinentry-mode=loopback", "--passphrase=", "--status-fd=1", *words]
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=60, check=False, input=given
        )
        assert done.returncode == 0, f"{' '.join(command)}:\n{done.stdout}{done.stderr}"
        return done.stdout


@contextmanager
def throwaway_keys() -> Iterator[Keys]:
    """Give a home for keys; nothing of it, and no gpg-agent, outlives the block."""
    with tempfile.TemporaryDirectory(prefix="keys-", dir="/tmp") as folder:
        try:
            yield Keys(Path(folder))
        finally:
            subprocess.run(["gpgconf", "--homedir", folder, "--kill", "all"], check=False)
