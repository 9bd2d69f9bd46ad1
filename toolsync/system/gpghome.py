"""A GnuPG home that holds the archive's own signing key."""

from __future__ import annotations

import fcntl
import hashlib
import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

from toolsync.model.errors import SetupError
from toolsync.system.gpgkeys import FLAGS, SECONDS, listed_keys
from toolsync.system.run import run
from toolsync.system.store import full_disk_is_told, sync_folder
from toolsync.system.work import remove_tree

_SHORT = Path("/tmp")  # noqa: S108 (mkdtemp makes it ours alone; TMPDIR may be deep)


class SigningHome:
    """A GnuPG home that holds the archive's own signing key, without passphrase.

    ``path`` is the home itself (mode 0700). gpg-agent's sockets must have names below 108 bytes,
    so gpg is given the home through a short symbolic link in /tmp for as long as it works.
    """

    def __init__(self, path: Path) -> None:
        self.path = path.absolute()

    def ensure_key(self, name: str) -> str:
        """Return the signing key's full fingerprint; make the key at the first call.

        ``name`` is the user id of a new key (``Name <address>``). A home that has a usable secret
        key keeps it, whatever its name. The key is made in a folder beside the home, which
        takes its place in one step: a run that is killed leaves a whole key or none.
        Raises SetupError when the home holds other things, or only dead keys.
        """
        if not name.strip() or not name.isprintable():
            raise SetupError(
                f"{name!r} cannot name a key, wanted: one line of text, `Name <address>`",
                resolution="Mend `maintainer` in toolsync.toml.",
            )
        with full_disk_is_told(self.path.parent):
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with _alone(self.path.parent):
                return self.usable_key() or self._make(name)

    def public_key(self, fingerprint: str) -> str:
        """Return the public key, armored and minimal, as apt's ``Signed-By`` takes it."""
        options = ("--armor", "--export-options", "export-minimal", "--no-autostart")
        done = run(
            *("gpg", "--homedir", self.path, *FLAGS, *options, "--export", fingerprint),
            timeout=SECONDS,
        )
        if "BEGIN PGP PUBLIC KEY BLOCK" not in done.out:
            raise SetupError(
                f"there is no key {fingerprint} in {self.path}",
                resolution="Name a fingerprint that `gpg --list-keys` shows there.",
            )
        return done.out

    def sweep(self) -> None:
        """Remove short names that killed runs have left; only the state's holder may call this."""
        for folder in _SHORT.glob(f"{_prefix(self.path)}*"):
            with suppress(FileNotFoundError):
                if folder.lstat().st_uid == os.geteuid():
                    remove_tree(folder)

    @contextmanager
    def opened(self) -> Iterator[Mapping[str, str]]:
        """Yield the environment (``GNUPGHOME``) in which any program signs with this key.

        When the block ends, the gpg-agent that was started meanwhile ends too.
        """
        with _short(self.path) as home:
            yield {"GNUPGHOME": str(home)}

    def usable_key(self) -> str:
        """Return the oldest key here that can sign, empty when there is no home yet.

        Raises SetupError when the home holds other things, or only dead keys.
        """
        if not self.path.is_dir() or not any(self.path.iterdir()):
            return ""
        self.path.chmod(0o700)
        secrets = self.path / "private-keys-v1.d"
        keys = listed_keys(self.path) if (self.path / "pubring.kbx").exists() else ()
        mine = [key for key in keys if (secrets / f"{key.keygrip}.key").is_file()]
        now = datetime.now(UTC)
        alive = [k for k in mine if not k.revoked and (not k.expires or k.expires > now)]
        if not alive:
            dead = ", ".join(key.fingerprint for key in mine)
            raise SetupError(
                f"{self.path} holds no key that can sign"
                + (f": expired or revoked is {dead}" if dead else ", but other files"),
                resolution="Extend that key, or move the folder away for a new one to be made.",
            )
        return min(alive, key=lambda key: (key.created, key.fingerprint)).fingerprint

    def _make(self, name: str) -> str:
        """Make a key beside the home, rename it into place, and return its fingerprint."""
        draft = self.path.parent / f".{self.path.name}.new"
        remove_tree(draft)  # what a killed run left
        draft.mkdir(mode=0o700)
        words = ("--pinentry-mode", "loopback", "--passphrase", "", "--quick-generate-key")
        with _short(draft) as home:
            run(
                *("gpg", "--homedir", home, *FLAGS, *words, "--", name),
                *("ed25519", "sign", "never"),
                timeout=SECONDS,
            )
        for folder, _, files in os.walk(draft):
            for file in files:
                _sync(Path(folder, file))
            sync_folder(Path(folder))
        draft.rename(self.path)
        sync_folder(self.path.parent)
        return self.usable_key()


def _sync(path: Path) -> None:
    if path.is_file():
        with path.open("rb") as handle:
            os.fsync(handle.fileno())


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Hold a lock on ``folder``, which ends with the process."""
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX)
        yield
    finally:
        os.close(fd)


def _prefix(home: Path) -> str:
    """Return how the short names of a home's state folder begin."""
    return f"toolsync-home-{hashlib.sha256(str(home.parent).encode()).hexdigest()[:12]}-"


@contextmanager
def _short(path: Path) -> Iterator[Path]:
    """Yield a short name for a GnuPG home; afterwards nothing of GnuPG's runs there."""
    with tempfile.TemporaryDirectory(prefix=_prefix(path), dir=_SHORT) as folder:
        home = Path(folder, "h")
        home.symlink_to(path, target_is_directory=True)
        try:
            yield home
        finally:
            run("gpgconf", "--homedir", home, "--kill", "all", timeout=60, ok=(0, 1, 2))
            # An agent that gpg started ended with gpg's isolation, and left its sockets.
            for stale in path.glob("S.*"):
                stale.unlink(missing_ok=True)
