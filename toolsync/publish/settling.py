"""Bring the local archive to what its set-up and its promised keys want, also after a kill."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from toolsync.config.settings import Local
from toolsync.model.errors import SetupError
from toolsync.publish import index, keyring
from toolsync.publish.archivekeys import ArchiveKeys
from toolsync.publish.distributions import Layout
from toolsync.publish.reprepro import Reprepro
from toolsync.system.architectures import own
from toolsync.system.clock import Clock
from toolsync.system.gpg import SigningHome
from toolsync.system.promise import Promise
from toolsync.system.store import full_disk_is_told, replace_file
from toolsync.system.work import Workshop


class Settling:
    """One archive as it should be. Who changes it holds the archive's lock."""

    def __init__(
        self,
        root: Path,
        *,
        settings: Local,
        series: tuple[str, ...],
        owner: str,
        signing: SigningHome,
        workshop: Workshop,
        clock: Clock,
    ) -> None:
        self._root, self._settings, self._series, self._owner = root, settings, series, owner
        self._signing, self._workshop = signing, workshop
        self.keys = ArchiveKeys(root, signing, workshop, clock)
        """By what keys it is signed."""
        self._clock = clock
        self.reprepro = Reprepro(root, signing, clock)

    @property
    def signers(self) -> tuple[str, ...]:
        """The keys that sign what is served; asked for only where something is."""
        promise = self.keys.promised()
        if promise is None:
            raise SetupError(
                f"nothing in {self._root} is signed yet",
                resolution="The first toolsync sync makes the archive and its key.",
            )
        return promise.signing

    @property
    def public_key(self) -> str:
        """Their public halves, armored in one block."""
        return self._signing.public_key(*self.signers)

    def recalls(self) -> tuple[str, ...]:
        """Return what the archive is to call recalled."""
        path = self._root / "conf" / "recalled"
        return tuple(path.read_text(encoding="utf-8").split()) if path.is_file() else ()

    def recall(self, recalls: tuple[str, ...]) -> None:
        """Keep what is to be called recalled."""
        self.keys.promised()  # before anything is changed
        with full_disk_is_told(self._root):
            replace_file(self._root / "conf" / "recalled", "\n".join((*recalls, "")).encode())

    def is_settled(self, promise: Promise | None = None) -> bool:
        """Say whether what is served is what is promised and set up; changes nothing."""
        found = promise or self.keys.promised()
        return found is not None and self.reprepro.serves(self._layout(found))

    def settle(self) -> None:
        """Bring keys, configuration and indices to what is wanted; makes an archive.

        Before the first byte is changed it is known that the promised keys are here: what is
        refused is signed by nobody.
        """
        promise = self.keys.settled(self._owner, archive=True)
        self.reprepro.configure(self._layout(promise))
        self.reprepro.recover()
        if self.reprepro.is_current() and self._is_fresh():
            return
        missing = [n for n in self.reprepro.series() if not keyring.serves(self._root, n, promise)]
        if not missing:
            self.reprepro.export()
            return
        with self._workshop.folder("keyring") as folder:
            deb = keyring.build(self._signing, promise, self._owner, folder)
            self.reprepro.include_deb(deb, missing)

    def rebuild(self, uploads: Sequence[tuple[str, Callable[[Path], Path]]]) -> None:
        """Make the archive anew of these uploads and the promised keyring; see `Reprepro`."""
        promise = self.keys.settled(self._owner, archive=True)
        layout = self._layout(promise)
        series = tuple(dict.fromkeys((*layout.series, *(name for name, _ in uploads))))
        self.reprepro.configure(replace(layout, series=series))
        with self._workshop.folder("keyring") as folder:
            deb = None
            if promise.package:
                deb = keyring.build(self._signing, promise, self._owner, folder)
            self.reprepro.rebuild(uploads, deb)

    def is_kept(self) -> bool:
        """Say whether `keep` has nothing to do; changes nothing."""
        if self.keys.written() is None and not self.keys.exists():
            return True
        if not self._is_there():
            return self.keys.is_settled()
        return self.keys.is_settled() and self.is_settled() and self._is_fresh()

    def keep(self) -> None:
        """Write down what is promised now, and settle an archive that is there."""
        promise = self.keys.settled(self._owner, archive=False)
        if self._is_there() and not (self.is_settled(promise) and self._is_fresh()):
            self.settle()

    def _is_fresh(self) -> bool:
        """Say whether no index that has an end is older than a day, or half of its days."""
        whole = timedelta(days=self._settings.valid_days)
        wanted = max(whole - timedelta(days=1), whole / 2)
        ends = [index.valid_until(self._root, name) for name in self.reprepro.series()]
        return not whole or all(end is None or end - self._clock.now() > wanted for end in ends)

    def _is_there(self) -> bool:
        return (self._root / "current").exists()

    def _layout(self, promise: Promise) -> Layout:
        return Layout(
            recalls=self.recalls(),
            origin=self._settings.origin,
            label=self._settings.label,
            valid_days=self._settings.valid_days,
            automatic=self._settings.automatic,
            series=self._series,
            architectures=self.architectures,
            fingerprints=promise.signing,
            keyring=promise.package,
        )

    @property
    def architectures(self) -> tuple[str, ...]:
        """What is to be served."""
        return self._settings.architectures or (own(),)
