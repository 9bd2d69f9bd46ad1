"""Which keys sign an archive: the promised ones, and never others in silence.

A key is made once, by what makes the archive. From then on its fingerprint is part of the state
and of the archive (`system.promise`), and whoever comes with another key is refused. An archive
that is older than promises has promised the key that signed what it serves.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from toolsync.model.errors import SetupError
from toolsync.system.clock import Clock
from toolsync.system.gpg import KeyInfo, SigningHome, open_signed
from toolsync.system.promise import NAME, Promise, first_promise, read_promise, write_promise
from toolsync.system.work import Workshop

WAY_BACK = (
    "Restore gnupg/ from a backup (tar -xf FILE gnupg, or toolsync restore). Where there is none:"
    " toolsync key rotate makes another key, and every instance needs the new stanza."
)
_FULL = r"[0-9A-F]{40}"
"""A fingerprint; a key's id has fewer digits."""


class ArchiveKeys:
    """The keys of one state and the archive ``root`` that belongs to it."""

    def __init__(self, root: Path, home: SigningHome, workshop: Workshop, clock: Clock) -> None:
        self._root, self._home, self._workshop, self._clock = root, home, workshop, clock
        self._ours, self._theirs = home.path.with_name(NAME), root / "conf" / NAME
        self._listed: tuple[tuple[int, ...], dict[str, KeyInfo]] | None = None

    def promised(self) -> Promise | None:
        """Return what is promised, None where nothing was ever signed; changes nothing.

        Raises SetupError where a key that is to sign is not here or can sign no longer, and where
        the archive is another state's.
        """
        found = self.written()
        if found is None:
            found = self._signed_already()
        if found is not None:
            self._require(found.at(self._clock.now()))
        return found

    def written(self) -> Promise | None:
        """Return what is written down, whether its keys are here or not, None if nothing is.

        Raises SetupError where state and archive do not belong together.
        """
        ours, theirs = read_promise(self._ours), read_promise(self._theirs)
        if ours is None:
            return theirs
        if theirs is None:
            self._require_signers(ours)
            return ours
        older, newer = sorted((ours, theirs), key=lambda promise: promise.serial)
        if newer.follows(older):
            return newer
        raise SetupError(
            f"the archive {self._root} is signed by {', '.join(theirs.signing)}, and the key of"
            f" {self._home.path} is {', '.join(ours.signing)}: they do not belong together",
            resolution="Work with the state that made the archive, or name another folder in"
            " [local] path. If this state is the right one, restore both from one backup.",
        )

    def settled(self, name: str, *, archive: bool) -> Promise:
        """Return what is promised now, written down; make the key where nothing was ever signed.

        ``name`` is the user id of a new key. It is written into the archive where there is one,
        and with ``archive`` where one is about to be made. The caller holds the locks. Killed
        at any moment, the next call goes on with the same key.
        """
        found = self.promised()
        if found is None:
            found = first_promise(self._home.ensure_key(name), self._clock.now())
        return self.keep(found.at(self._clock.now()), archive=archive)

    def is_settled(self) -> bool:
        """Say whether what is promised now is written down, in both places; see `settled`."""
        found, ours = self.promised(), read_promise(self._ours)
        same = found == ours and (not self.exists() or read_promise(self._theirs) == found)
        return found is not None and same and found == found.at(self._clock.now())

    def keep(self, promise: Promise, *, archive: bool) -> Promise:
        """Write a promise down: in the state first, then in the archive."""
        write_promise(self._ours, promise)
        if archive or self.exists():
            write_promise(self._theirs, promise)
        return promise

    def exists(self) -> bool:
        """Say whether there is an archive: something that was signed, or a promise of it."""
        return self._theirs.exists() or any(self._releases())

    def key_infos(self) -> dict[str, KeyInfo]:
        """Return the keys here that have their secret halves, by fingerprint.

        gpg is asked again when the home was changed.
        """
        as_now = self._home.mark()
        if self._listed is None or self._listed[0] != as_now or not as_now:
            self._listed = as_now, {key.fingerprint: key for key in self._home.secrets()}
        return self._listed[1]

    def _releases(self) -> Iterator[Path]:
        yield from sorted((self._root / "dists").glob("*/InRelease"))

    def last(self) -> Promise | None:
        """Return what was promised last, or was from before promises, though its key be lost."""
        found = self.written()
        here = self.key_infos()
        signers = [] if found else [s for s in self._signatures() if re.fullmatch(_FULL, s)]
        names = sorted(signers, key=lambda name: (name not in here, name))
        return found or (first_promise(names[0], self._clock.now()) if names else None)

    def require_here(self, name: str) -> None:
        """Raise SetupError where a key's secret half is not here."""
        if name not in self.key_infos():
            raise SetupError(
                f"the archive {self._root} is promised to be signed by {name}, and that key is"
                f" not in {self._home.path}",
                resolution=WAY_BACK,
            )

    def _require(self, promise: Promise) -> None:
        now = self._clock.now()
        for name in promise.signing:
            self.require_here(name)
            if fault := dead(self.key_infos()[name], now):
                raise SetupError(
                    f"the key {name} that signs the archive {self._root} {fault}",
                    resolution="Where it expired: toolsync key extend. Else: toolsync key rotate;"
                    " instances need what toolsync archive sources prints then.",
                )

    def _signed_already(self) -> Promise | None:
        """Return the promise of an archive from before promises: by whom its index is signed."""
        signers, here = self._signatures(), self.key_infos()
        mine = [name for name in signers if name in here]
        if signers and not mine:
            raise SetupError(
                f"the archive {self._root} was signed by {', '.join(signers)}, and that key is not"
                f" in {self._home.path}",
                resolution=WAY_BACK,
            )
        return first_promise(mine[0], self._clock.now()) if mine else None

    def _require_signers(self, ours: Promise) -> None:
        """See that an archive that tells of no promise is ours, by what it serves."""
        others = sorted(set(self._signatures()) - ours.known)
        if others:
            raise SetupError(
                f"the archive {self._root} was signed by {', '.join(others)}, and the key of"
                f" {self._home.path} is {', '.join(ours.signing)}",
                resolution="Work with the state that made the archive, or name another folder in"
                " [local] path.",
            )

    def _signatures(self) -> list[str]:
        """Return by whom the archive's indices say to be signed; good ones by the primary key."""
        releases = list(self._releases())
        if not releases:
            return []
        here = list(self.key_infos())
        with self._workshop.folder("keys") as folder:
            keyring = []
            if here:
                keyring = [folder / "keys.asc"]
                keyring[0].write_text(self._home.public_key(*here), encoding="ascii")
            found = [sign for path in releases for sign in open_signed(path, keyring, folder / "t")]
        names = {s.primary or s.fingerprint for s in found} - {""}
        return sorted(names) or ["somebody whom it does not name"]


def dead(key: KeyInfo, now: datetime) -> str:
    """Return why a key signs no longer, as the end of a sentence; empty where it does."""
    if key.revoked:
        return "was revoked"
    return f"expired on {key.expires:%Y-%m-%d}" if key.expires and key.expires <= now else ""
