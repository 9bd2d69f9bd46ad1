"""The local archive: a folder that reprepro keeps and apt reads, by ``file:`` or any web server.

Each change is shown in one step or not at all, see `reprepro`; repeating it changes nothing.
"""

from __future__ import annotations

import re
from contextlib import suppress
from datetime import datetime
from email.utils import parsedate_to_datetime
from functools import cached_property
from pathlib import Path
from urllib.parse import quote

from toolsync.config.settings import Limits, Local
from toolsync.model.errors import (
    Held,
    Hostile,
    ProgramFailed,
    Replaced,
    SetupError,
    TryAgain,
    Unverified,
)
from toolsync.model.release import Blob, Built, Compatible, Confirmed, Package, Receipt
from toolsync.publish import index, keyring
from toolsync.publish.archivekeys import ArchiveKeys
from toolsync.publish.distributions import Layout
from toolsync.publish.reprepro import Reprepro
from toolsync.publish.served import Offer, check_signers, fetch_all, stanza
from toolsync.publish.target import Ledger, Old
from toolsync.system.clock import Clock, SystemClock
from toolsync.system.gpg import SigningHome
from toolsync.system.lock import archive_held
from toolsync.system.promise import Promise
from toolsync.system.run import run
from toolsync.system.store import Store, full_disk_is_told, replace_file
from toolsync.system.work import Workshop


class LocalArchive:
    """The target ``local``. Who changes it holds the state's lock; the archive's is taken here."""

    def __init__(
        self,
        root: Path,
        *,
        settings: Local,
        series: tuple[str, ...],
        owner: str,
        store: Store,
        workshop: Workshop,
        signing: SigningHome,
        limits: Limits | None = None,
        clock: Clock | None = None,
    ) -> None:
        self._root, self._settings, self._series = root.absolute(), settings, series
        self._owner, self._store, self._workshop = owner, store, workshop
        self._signing, self._limits = signing, limits or Limits()
        self._reprepro = Reprepro(self._root, signing)
        self.keys = ArchiveKeys(self._root, signing, workshop, clock or SystemClock())
        """By what keys it is signed."""

    @property
    def name(self) -> str:
        """``local``."""
        return "local"

    @property
    def distribution(self) -> str:
        """Empty: any series whose packages were built."""
        return ""

    @property
    def takes_source(self) -> bool:
        """No: it builds nothing."""
        return False

    @property
    def url(self) -> str:
        """Where instances find the archive, in one word, as sources.list(5) wants it.

        Raises SetupError when [local] url is more than a word.
        """
        if re.search(r"[\s\x00-\x1f\x7f]", self._settings.url):
            raise SetupError(
                f"the archive's address {self._settings.url!r} has a space in it, which apt takes"
                " for two addresses",
                resolution="Write %20 for it, in [local] url or --url.",
            )
        return self._settings.url or f"file:{quote(str(self._root), safe='/+~@:,=')}"

    def state(self, series: str, source: str) -> str:
        """Return the sha256 of the series' signed index, empty before there is one.

        It is marked when the set-up has changed since, so that the change is published too.
        """
        digest = index.release_digest(self._root, series)
        if digest and not self._is_settled():
            return f"{digest} before the set-up was changed"
        return digest

    def newest(self, source: str, series: str) -> str | None:
        """Return the newest version of a source package that the series' index names."""
        return index.newest(self._root, source, series)

    def known_orig(self, source: str, upstream: str, ours: Blob) -> Blob | None:
        """Return the orig in the pool; see `Target.known_orig`."""
        from toolsync.archives.compare import difference  # rarely needed

        for name, digest in self._reprepro.checksums().items():
            path = self._root / name
            if path.name == ours.name and digest != ours.sha256 and path.is_file():
                theirs = self._store.add_file(path)
                with suppress(Hostile):
                    same = not difference(path, self._store.path(ours), self._limits)
                    return theirs if same and theirs.sha256 == digest else None
        return None

    def publish(self, item: Compatible, ledger: Ledger | None = None) -> Receipt:
        """Include source and binaries and show them; say nothing new when they are there."""
        built, series = _with_binaries(item.package), item.source.series
        if series not in self._series:
            raise SetupError(
                f"{built.source.name} was built for {series}, the archive is set up for"
                f" {', '.join(self._series)}",
                resolution="Add the series to `series` in toolsync.toml.",
            )
        with archive_held(self._root):
            self._settle()
            if not self._serves(built):
                self._refuse_other_bytes(built)
                self._refuse_older(built)
                self._include(built)
                if not self._serves(built):
                    raise ProgramFailed(
                        f"reprepro took {built.changes.name} but its indices do not name all of it",
                        resolution=f"Look at it with: reprepro -b {self._root} list {series}",
                    )
        return Receipt(item=item, target=self.name, where=self.url)

    def confirm(self, item: Receipt, ledger: Ledger | None = None) -> Confirmed:
        """Fetch source and binaries with apt, from a private root and by our stanza alone."""
        built = _with_binaries(item.item.package)
        offer = Offer(
            stanza=self.stanza(built.source.series),
            key=self._signing.public_key(*self._signers),
            fingerprints=self._signers,
            newest=self.newest(built.source.name, built.source.series),
        )
        with self._workshop.folder("confirm") as folder:
            served = fetch_all(built, offer, store=self._store, folder=folder)
        return Confirmed(
            receipt=item,
            statement=(
                f"apt got {built.source.name} {built.source.version} from {self.url}"
                f" {built.source.series}: {len(served)} files, every byte as built"
            ),
            served=served,
            fingerprint=self._signers[0],
        )

    def recalls(self) -> tuple[str, ...]:
        """Return what the archive calls recalled; see `target.Noticeboard`."""
        path = self._root / "conf" / "recalled"
        return tuple(path.read_text(encoding="utf-8").split()) if path.is_file() else ()

    def announce(self, recalls: tuple[str, ...]) -> bool:
        """Call these versions recalled in every series' signed index."""
        if recalls == self.recalls() and (not recalls or self._is_settled()):
            return False
        with archive_held(self._root):
            self.keys.promised()  # before anything is changed
            with full_disk_is_told(self._root):
                replace_file(self._root / "conf" / "recalled", "\n".join((*recalls, "")).encode())
            self._settle()
        return True

    def stanza(self, series: str) -> str:
        """Return the deb822 stanza with the public key inside (``Signed-By``, sources.list(5)).

        Raises TryAgain while the series has no index, since apt would refuse the stanza.
        """
        if not index.release_digest(self._root, series):
            raise TryAgain(
                f"nothing is published for {series} yet, so apt would find nothing at {self.url}",
                resolution="Publish first: toolsync sync",
            )
        key = self._signing.public_key(*self._signers)
        return stanza(self.url, series, "main non-free", key)

    def settle(self) -> bool:
        """Serve what is promised and set up; say whether anything had to be changed.

        Raises SetupError where a promised key is not here. An archive that is not there yet is
        not made.
        """
        if self.keys.written() is None and not self.keys.exists():
            return False
        if self.keys.is_settled() and (not self._shown() or self._is_settled()):
            return False
        with archive_held(self._root):
            promise = self.keys.settled(self._owner, archive=False)
            if self._shown() and not self._is_settled(promise):
                self._settle()
        return True

    def _shown(self) -> bool:
        return (self._root / "current").exists()

    def size(self) -> int:
        """Return the bytes in the pool."""
        return sum(p.stat().st_size for p in (self._root / "pool").rglob("*") if p.is_file())

    def superseded(self) -> list[Old]:
        """Return the versions in the pool that no index names, oldest first of each source."""
        found = []
        for series in self._series if (self._root / "current").exists() else ():
            tracks = self._reprepro.tracked(series)
            shown = {name for track in tracks if track.shown for name in track.files}
            for track in tracks:
                if not track.shown:
                    own = (self._root / name for name in track.files if name not in shown)
                    size = sum(path.stat().st_size for path in own if path.exists())
                    found.append(
                        Old(series=series, source=track.source, version=track.version, size=size)
                    )
        return sorted(found, key=lambda old: (old.source, index.order(old.version), old.series))

    def forget(self, old: Old) -> None:
        """Remove a superseded version; what is shown is not touched."""
        with archive_held(self._root):
            self._settle()
            self._reprepro.forget(old.series, old.source, old.version)

    def check(self, series: str, now: datetime) -> str:
        """Say how a series is served; see `Target.check`. A key that is lost is not made anew."""
        path = self._root / "dists" / series / "InRelease"
        if not path.is_file():
            return f"nothing is published for {series} yet"
        key = self._signing.public_key(*self._signers)
        with self._workshop.folder("check") as folder:
            text = check_signers([path], key, self._signers, folder=folder)
        until = re.search(r"^Valid-Until: *(.+)$", text, re.MULTILINE)
        if until and parsedate_to_datetime(until[1]) < now:
            raise Unverified(
                f"{path} is valid until {until[1]} and no longer",
                resolution="Publish again: toolsync sync",
            )
        count = len(index.served(self._root, series))
        return f"signed by {', '.join(self._signers)}, {count} files"

    @property
    def _signers(self) -> tuple[str, ...]:
        """The keys that sign what is served; asked for only where something is."""
        promise = self.keys.promised()
        if promise is None:
            raise SetupError(
                f"nothing in {self._root} is signed yet",
                resolution="The first toolsync sync makes the archive and its key.",
            )
        return promise.signing

    def _layout(self, promise: Promise) -> Layout:
        return Layout(
            recalls=self.recalls(),
            origin=self._settings.origin,
            label=self._settings.label,
            series=self._series,
            architecture=self._architecture,
            fingerprints=promise.signing,
            keyring=promise.package,
        )

    def _is_settled(self, promise: Promise | None = None) -> bool:
        """Say whether what is served is what is promised and set up; changes nothing."""
        found = promise or self.keys.promised()
        return found is not None and self._reprepro.serves(self._layout(found))

    @cached_property
    def _architecture(self) -> str:
        return run("dpkg", "--print-architecture", timeout=20).out.strip()

    def _settle(self) -> None:
        """Bring keys, configuration and indices to what is wanted, also after a kill.

        Before the first byte is changed it is known that the promised keys are here: what is
        refused is signed by nobody. The caller holds the archive's lock.
        """
        promise = self.keys.settled(self._owner, archive=True)
        self._reprepro.configure(self._layout(promise))
        self._reprepro.recover()
        if self._reprepro.is_current():
            return
        missing = [n for n in self._reprepro.series() if not keyring.serves(self._root, n, promise)]
        if not missing:
            self._reprepro.export()
            return
        with self._workshop.folder("keyring") as folder:
            deb = keyring.build(self._signing, promise, self._owner, folder)
            self._reprepro.include_deb(deb, missing)

    def _serves(self, item: Built) -> bool:
        known = index.served(self._root, item.source.series)
        return all(known.get(blob.name) == blob.sha256 for blob in item.files)

    def _include(self, item: Built) -> None:
        with self._workshop.folder("publish") as folder:
            for blob in item.files:
                self._store.copy_to(blob, folder)
            changes = self._store.copy_to(item.changes, folder)
            self._reprepro.include(changes, item.source.series)

    def _refuse_other_bytes(self, item: Built) -> None:
        known = {
            path.rpartition("/")[2]: digest for path, digest in self._reprepro.checksums().items()
        }
        for blob in item.files:
            if known.get(blob.name, blob.sha256) != blob.sha256:
                raise Replaced(
                    f"{blob.name} was published with sha256 {known[blob.name]}, wanted to publish"
                    f" it with {blob.sha256}",
                    resolution="A version's bytes are for ever: find out why they differ, and"
                    " publish the new ones under a new version.",
                )

    def _refuse_older(self, item: Built) -> None:
        source = item.source
        newest = self.newest(source.name, source.series)
        if newest is not None and index.is_older(source.version, newest):
            raise Held(
                f"{source.series} has {source.name} {newest}, wanted to publish"
                f" {source.version}, which is older",
                resolution="An archive never goes back; publish the old code as a newer version.",
            )


def _with_binaries(item: Package) -> Built:
    if isinstance(item, Built):
        return item
    raise SetupError(
        f"{item.name} {item.version} has no binaries, and the local archive builds none",
        resolution="Build here: leave `build_first` out of toolsync.toml, or name a PPA.",
    )
