"""The keys that an archive has promised to be signed by, as a file that outlives the keys.

It lies twice: in the state, beside the GnuPG home, and in the archive. So a home that is lost or
exchanged is seen, and so is a state that comes to another one's archive. The state's is written
first; of two that differ the one with the higher ``serial`` counts, if it goes on from the other.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from toolsync.model.errors import SetupError
from toolsync.model.values import dump, load
from toolsync.system.clock import parsed, stamp
from toolsync.system.store import replace_file

NAME = "archive-key.json"
"""The file's name: in the state folder, and in the archive's ``conf``."""
_MOST = 256 * 1024
_FINGERPRINT = re.compile(r"[0-9A-F]{40}|[0-9A-F]{64}")


@dataclass(frozen=True, slots=True, kw_only=True)
class PromisedKey:
    """One key, and for how long it signs."""

    fingerprint: str
    """The primary key's, in full."""
    since: str
    until: str = ""
    """When it will sign no longer; empty while no other key follows it."""
    ended: bool = False
    """It signs no longer. Written down, so that no clock that is put back makes it sign again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Promise:
    """All keys that were ever promised, oldest first; none is ever forgotten."""

    keys: tuple[PromisedKey, ...]
    serial: int
    """Raised by every change."""
    package: int = 0
    """The serial whose toolsync-archive-keyring the archive is to serve; 0 for none."""

    @property
    def signing(self) -> tuple[str, ...]:
        """The fingerprints of the keys that sign now, oldest first."""
        return tuple(key.fingerprint for key in self.keys if not key.ended)

    @property
    def is_changing(self) -> bool:
        """Whether a key still signs that another follows."""
        return any(key.until and not key.ended for key in self.keys)

    @property
    def known(self) -> frozenset[str]:
        """The fingerprints of all keys."""
        return frozenset(key.fingerprint for key in self.keys)

    def follows(self, other: Promise) -> bool:
        """Say whether this goes on from ``other``, with the same keys or with more."""
        mine = tuple(key.fingerprint for key in self.keys)[: len(other.keys)]
        return mine == tuple(key.fingerprint for key in other.keys) and self.serial >= other.serial

    def at(self, now: datetime) -> Promise:
        """Return what is promised ``now``: keys whose time is over have ended."""
        keys = tuple(
            replace(key, ended=key.ended or (bool(key.until) and parsed(key.until) <= now))
            for key in self.keys
        )
        return self if keys == self.keys else self.changed(keys)

    def changed(self, keys: tuple[PromisedKey, ...]) -> Promise:
        """Return a promise of these keys; instances get it by the package where there is one."""
        serial = self.serial + 1
        return Promise(keys=keys, serial=serial, package=serial if self.package else 0)

    def succeeded(self, fingerprint: str, now: datetime, until: datetime) -> Promise:
        """Return what is promised when another key is announced: the present ones sign until then.

        The package of the keyring belongs to it, since instances need both.
        """
        last = tuple(
            key if key.ended or key.until else replace(key, until=stamp(until)) for key in self.keys
        )
        keys = (*last, PromisedKey(fingerprint=fingerprint, since=stamp(now)))
        return replace(self.changed(keys), package=self.serial + 1).at(now)


def first_promise(fingerprint: str, now: datetime) -> Promise:
    """Return the promise of an archive's one key."""
    return Promise(keys=(PromisedKey(fingerprint=fingerprint, since=stamp(now)),), serial=1)


def read_promise(path: Path) -> Promise | None:
    """Return what a file promises, None where there is no such file.

    Raises SetupError for one that cannot be read: that is not the same as nothing promised.
    """
    try:
        with path.open("rb") as source:
            data = source.read(_MOST + 1)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise _unreadable(path, str(error)) from error
    try:
        found = load(Promise, json.loads(data.decode("utf-8")))
        prints = [key.fingerprint for key in found.keys]
        ends = [parsed(key.until) for key in found.keys if key.until]
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise _unreadable(path, str(error)) from error
    right = all(_FINGERPRINT.fullmatch(name) for name in prints) and all(end.tzinfo for end in ends)
    if not right or not found.signing or len(set(prints)) != len(prints):
        raise _unreadable(path, "it names no key that signs, or a key that can be none")
    return found


def write_promise(path: Path, promise: Promise) -> bool:
    """Replace the file, durably; say whether that changed anything."""
    return replace_file(path, (json.dumps(dump(promise), indent=1) + "\n").encode())


def _unreadable(path: Path, why: str) -> SetupError:
    return SetupError(
        f"{path}, which says by what keys the archive is signed, cannot be read: {why[:200]}",
        resolution="Take the file from a backup. The archive has one in conf/, the state another;"
        " where one of them is whole, remove the other.",
    )
