"""Sign uploads with one pinned key: from toolsync's own keyring, or from a person's.

A passphrase is never on a command line: gpg reads it from a file, or its agent or the
smart card knows. In toolsync's own home an agent lives as long as the block; a home of the
operator's is used as it is, with the agent that serves it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from functools import cached_property
from pathlib import Path

from toolsync.model.errors import ProgramFailed, SetupError
from toolsync.system.gpghome import SigningHome, break_locks
from toolsync.system.gpgkeys import FLAGS, SECONDS, KeyInfo, listed_keys
from toolsync.system.run import run


class Signer:
    """One key in one GnuPG home.

    ``own`` is toolsync's home, used where ``keyring`` is empty; ``key`` is a full fingerprint,
    or empty for the key that `SigningHome` would sign with.
    """

    def __init__(
        self, own: SigningHome, *, keyring: str = "", key: str = "", passphrase_file: str = ""
    ) -> None:
        self._own = own
        self._keyring = Path(keyring).expanduser().absolute() if keyring else None
        self._key = key.replace(" ", "").upper()
        self._passphrase = Path(passphrase_file).expanduser() if passphrase_file else None

    @cached_property
    def fingerprint(self) -> str:
        """The pinned key's; raises SetupError where none is pinned and none is there."""
        found = self._key or ("" if self._keyring else self._own.usable_key())
        if not found:
            raise SetupError(
                f"no key is named that signs uploads, and there is none in {self._own.path}",
                resolution="Name one: [ppa] key = 'FULL FINGERPRINT' in toolsync.toml (and"
                " keyring, where it is not in toolsync's own), and register it on Launchpad.",
            )
        return found

    def alive(self, now: datetime) -> KeyInfo:
        """Return the key; raise SetupError when it is missing, revoked or expired ``now``."""
        path = self._keyring or self._own.path
        keys = listed_keys(path) if path.is_dir() else ()
        found = next((key for key in keys if key.fingerprint == self.fingerprint), None)
        if found is None:
            raise SetupError(
                f"the key {self.fingerprint} is not in {path}",
                resolution="Import it there (with its secret half), or mend [ppa] key and keyring.",
            )
        if found.revoked or (found.expires is not None and found.expires <= now):
            what = "was revoked" if found.revoked else f"expired on {found.expires:%Y-%m-%d}"
            raise SetupError(
                f"the key {self.fingerprint} that signs uploads {what}",
                resolution="Extend it (gpg --quick-set-expire) and send it to the keyserver that"
                " Launchpad reads, or name another: [ppa] key.",
            )
        return found

    def public_key(self) -> str:
        """Return the key's public half, armored."""
        return (SigningHome(self._keyring) if self._keyring else self._own).public_key(
            self.fingerprint
        )

    @contextmanager
    def opened(self) -> Iterator[Mapping[str, str]]:
        """Yield the environment in which gpg finds this key."""
        if self._keyring is not None:
            break_locks(self._keyring)
            yield {"GNUPGHOME": str(self._keyring)}
            return
        with self._own.opened() as env:
            yield env

    def clearsign(self, path: Path, env: Mapping[str, str]) -> None:
        """Put the file's clear-signed form into its place; raise SetupError when gpg cannot."""
        signed = path.with_name(f"{path.name}.asc")
        self._sign("--clearsign", path, signed, env)
        signed.replace(path)

    def detach_sign(self, path: Path, env: Mapping[str, str]) -> bytes:
        """Return a detached signature over the file, not armored; raises as `clearsign` does."""
        signed = path.with_name(f"{path.name}.sig")
        self._sign("--detach-sign", path, signed, env)
        return signed.read_bytes()

    def _sign(self, how: str, path: Path, signed: Path, env: Mapping[str, str]) -> None:
        """Sign ``path`` with gpg into ``signed``; raise SetupError when gpg cannot."""
        signed.unlink(missing_ok=True)
        asked: tuple[str | Path, ...] = ()
        if self._passphrase is not None:
            asked = ("--pinentry-mode", "loopback", "--passphrase-file", self._passphrase)
        try:
            run(
                *("gpg", *FLAGS, *asked, "--local-user", self.fingerprint, "--output", signed),
                *(how, "--", path),
                env=env,
                timeout=SECONDS,
            )
        except ProgramFailed as error:
            raise SetupError(
                f"gpg cannot sign with {self.fingerprint}: {_last(str(error))}",
                resolution="See that its secret key is there, and that gpg need not ask: no"
                " passphrase, [ppa] passphrase_file, or an agent or card that is unlocked.",
            ) from error


def sign_release(folder: Path, fingerprints: Sequence[str], env: Mapping[str, str]) -> None:
    """Sign ``Release`` by all of these keys: into ``InRelease``, and ``Release.gpg`` beside it.

    ``env`` is that of an opened home. A signature of a text that is there no longer is replaced.
    """
    users = [word for name in fingerprints for word in ("--local-user", name)]
    for how, name in (("--clearsign", "InRelease"), ("--detach-sign", "Release.gpg")):
        words = ("gpg", *FLAGS, "--armor", "--yes", *users, "--output", str(folder / name), how)
        run(*words, "--", folder / "Release", env=env, timeout=SECONDS)


def _last(text: str) -> str:
    lines = [line for line in text.splitlines() if line.strip()]
    return "; ".join(lines[-2:])[:300]
