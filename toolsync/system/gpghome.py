"""A GnuPG home that holds the archive's own signing key."""

from __future__ import annotations

import fcntl
import hashlib
import os
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

from toolsync.model.errors import SetupError
from toolsync.system.gpgkeys import FLAGS, SECONDS, KeyInfo, listed_keys
from toolsync.system.private import is_at, open_private, private_folder, shared_folder
from toolsync.system.run import run
from toolsync.system.store import full_disk_is_told, sync_folder
from toolsync.system.work import remove_tree

_COPY = ".toolsync-key-"
"""How the names of folders begin in which a key is on its way from one home to another."""
_GONE = ".gone"
"""How the names of homes end that are about to be removed."""
_HELD = 5.0
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
            shared_folder(self.path.parent)
            with _alone(self.path.with_name(f".{self.path.name}.lock")):
                return self.usable_key() or self._make(name)

    def public_key(self, *fingerprints: str) -> str:
        """Return public keys in one block, armored and minimal, as apt's ``Signed-By`` takes it."""
        options = ("--armor", "--export-options", "export-minimal", "--no-autostart")
        words: tuple[str | Path, ...] = ("gpg", "--homedir", self.path, *FLAGS, *options)
        done = run(*words, "--export", *fingerprints, timeout=SECONDS)
        if "BEGIN PGP PUBLIC KEY BLOCK" not in done.out:
            raise SetupError(
                f"there is no key {', '.join(fingerprints)} in {self.path}",
                resolution="Name a fingerprint that `gpg --list-keys` shows there.",
            )
        return done.out

    def secrets(self) -> tuple[KeyInfo, ...]:
        """Return the keys whose secret halves are here, by fingerprint; none without a home.

        Where a service is closed to the secret halves, they are taken to be here: it signs nothing.
        Raises SetupError for a folder that is there and cannot be read.
        """
        try:
            filled = self.path.is_dir() and any(self.path.iterdir())
        except OSError as error:
            raise SetupError(
                f"{self.path} cannot be read: {error.strerror}",
                resolution="Make it the folder of the user who runs toolsync, mode 0700.",
            ) from error
        if not filled:
            return ()
        self.path.chmod(0o700)
        folder = self.path / "private-keys-v1.d"
        keys = listed_keys(self.path) if (self.path / "pubring.kbx").exists() else ()
        if folder.exists() and not os.access(folder, os.X_OK):
            return keys
        return tuple(key for key in keys if (folder / f"{key.keygrip}.key").is_file())

    def mark(self) -> tuple[int, ...]:
        """Return numbers that change whenever the keys here do; none where there are no keys."""
        try:
            found = [
                (self.path / name).stat()
                for name in ("pubring.kbx", "private-keys-v1.d")  # renamed into place, both
            ]
        except OSError:
            return ()
        return tuple(number for s in found for number in (s.st_ino, s.st_mtime_ns, s.st_size))

    def successor(self, name: str) -> SigningHome:
        """Return a home beside this one that holds one new key; the one that is there stays.

        Killed in between, the next call finds that key, or makes the first one.
        """
        self.beside().ensure_key(name)
        return self.beside()

    def beside(self) -> SigningHome:
        """Return the home in which a successor is made, whether it is there or not."""
        return SigningHome(self.path.with_name(f"{self.path.name}.next"))

    def take(self, other: SigningHome) -> None:
        """Put the keys of ``other`` into this home, with their secret halves; may be repeated."""
        exporting = ("--pinentry-mode", "loopback", "--passphrase", "", "--export-secret-keys")
        private_folder(self.path)
        with _private_file(self.path.parent) as file:
            with _short(other.path) as home:
                words = ("--yes", "--output", file)
                run("gpg", "--homedir", home, *FLAGS, *words, *exporting, timeout=SECONDS)
            with _short(self.path) as home:
                run("gpg", "--homedir", home, *FLAGS, "--import", "--", file, timeout=SECONDS)
        _sync_home(self.path)

    def set_end(self, fingerprint: str, ends: str) -> None:
        """Let a key and its subkeys end at ``ends``: gpg's ``YYYYMMDDTHHMMSS``, ``0`` for never."""
        with _short(self.path) as home:
            words = ("gpg", "--homedir", home, *FLAGS, "--pinentry-mode", "loopback")
            setting = (*words, "--passphrase", "", "--quick-set-expire", fingerprint, ends)
            run(*setting, timeout=SECONDS)
            if any(k.subkeys for k in self.secrets() if k.fingerprint == fingerprint):
                run(*setting, "*", timeout=SECONDS)
        _sync_home(self.path)

    def remove(self) -> None:
        """Remove the home and what it holds, in one step: a half-removed one would be no home."""
        if self.path.exists():
            gone = self.path.with_name(f".{self.path.name}{_GONE}")
            remove_tree(gone)
            self.path.rename(gone)
            sync_folder(self.path.parent)
            remove_tree(gone)

    def sweep(self) -> None:
        """Remove what killed runs have left of short names and copies; for the state's holder."""
        for pattern in (f"{_COPY}*", f".{self.path.name}*{_GONE}"):
            for folder in self.path.parent.glob(pattern):
                remove_tree(folder)
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
        mine, now = self.secrets(), datetime.now(UTC)
        alive = [k for k in mine if not k.revoked and (not k.expires or k.expires > now)]
        if not alive:
            dead = ", ".join(key.fingerprint for key in mine)
            raise SetupError(
                f"{self.path} holds no key that can sign"
                + (f": expired or revoked is {dead}" if dead else ", but other files"),
                resolution="Extend that key (toolsync key extend), or restore the folder from a"
                " backup.",
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
        _sync_home(draft)
        draft.rename(self.path)
        sync_folder(self.path.parent)
        return self.usable_key()


@contextmanager
def _private_file(folder: Path) -> Iterator[Path]:
    """Give a name for a secret in a folder that only we may enter, and that ends with the block."""
    with tempfile.TemporaryDirectory(prefix=_COPY, dir=folder) as scratch:
        yield Path(scratch, "secret")


def _sync_home(home: Path) -> None:
    """Make all files of a home durable."""
    for folder, _, files in os.walk(home):
        for file in files:
            _sync(Path(folder, file))
        sync_folder(Path(folder))


def _sync(path: Path) -> None:
    if path.is_file():
        with path.open("rb") as handle:
            os.fsync(handle.fileno())


@contextmanager
def _alone(lock: Path) -> Iterator[None]:
    """Hold a lock file that nobody else may open; the lock ends with the process, the file here."""
    while True:
        fd = open_private(lock)
        fcntl.flock(fd, fcntl.LOCK_EX)
        if is_at(fd, lock):
            break
        os.close(fd)  # its holder has just removed it
    try:
        yield
    finally:
        lock.unlink(missing_ok=True)
        os.close(fd)


def _prefix(home: Path) -> str:
    """Return how the short names of a home's state folder begin."""
    return f"toolsync-home-{hashlib.sha256(str(home.parent).encode()).hexdigest()[:12]}-"


def break_locks(home: Path) -> None:
    """Remove the locks that a killed gpg has left in a home.

    GnuPG takes a lock for held while a process of the number in it lives. Ours run in namespaces
    of their own, where small numbers always live: it would wait for ever. A lock that is held is
    held for moments, so one that is `_HELD` seconds old is nobody's.
    """
    for pattern in ("*.lock", ".#lk*"):
        for lock in home.glob(pattern):
            with suppress(FileNotFoundError):
                while (age := time.time() - lock.stat().st_mtime) < _HELD and age >= 0:
                    time.sleep(0.05)
                lock.unlink()


@contextmanager
def _short(path: Path) -> Iterator[Path]:
    """Yield a short name for a GnuPG home; afterwards nothing of GnuPG's runs there."""
    break_locks(path)
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
