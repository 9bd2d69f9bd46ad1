"""The local archive: a folder that reprepro keeps and apt reads, by ``file:`` or any web server.

Each change is shown in one step or not at all, see `reprepro`; repeating it changes nothing.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import datetime
from functools import partial
from pathlib import Path
from urllib.parse import quote

from toolsync.config.settings import Limits, Local
from toolsync.model.errors import (
    Damaged,
    Held,
    Hostile,
    ProgramFailed,
    Replaced,
    SetupError,
    TryAgain,
    Unverified,
    UsageError,
)
from toolsync.model.release import Blob, Built, Compatible, Confirmed, Package, Receipt
from toolsync.publish import index, snapshots
from toolsync.publish.changes import leave_out_unserved, name_buildinfo
from toolsync.publish.inspector import Inspector
from toolsync.publish.intact import Fault, damaged
from toolsync.publish.keyring import NAME as KEYRING
from toolsync.publish.rebuild import Pool, Published
from toolsync.publish.served import Offer, check_signers, fetch_all, stanza
from toolsync.publish.settling import Settling
from toolsync.publish.target import Ledger, Old
from toolsync.system.clock import Clock, SystemClock
from toolsync.system.gpg import SigningHome
from toolsync.system.lock import archive_held
from toolsync.system.store import Store
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
        self._store, self._workshop, self._limits = store, workshop, limits or Limits()
        self._clock = clock or SystemClock()
        self._settling = Settling(
            self._root,
            settings=settings,
            series=series,
            owner=owner,
            signing=signing,
            workshop=workshop,
            clock=self._clock,
        )
        self._reprepro = self._settling.reprepro
        self.inspector = Inspector(self._root, self._settling, workshop)
        """How whole it is."""
        self.keys = self._settling.keys
        """By what keys it is signed."""
        self._indices: dict[str, tuple[str, Mapping[str, str]]] = {}
        """Of each series the digest of its signed index, and what that says of each source."""

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

    @property
    def architectures(self) -> tuple[str, ...]:
        """What it serves; see `target.ForArchitectures`."""
        return self._settling.architectures

    @property
    def together(self) -> bool:
        """Whether a release waits for all of them."""
        return self._settings.together

    def served_architectures(self, source: str, series: str) -> frozenset[str]:
        """Return those that a source package has in a series' index."""
        return index.architectures(self._root, source, series)

    def state(self, series: str, source: str) -> str:
        """Return a digest of what the series' index says of a source package, empty without one.

        What becomes of other packages does not count, but how the archive is set up and by whom it
        is signed does. It is marked when that has changed since, so that the change is published.
        """
        return self._marked(self._said(series, source))

    def older_state(self, series: str, source: str) -> str:
        """Return the digest of the series' signed index, which was the state of all its sources."""
        return self._marked(index.release_digest(self._root, series))

    def _marked(self, digest: str) -> str:
        """Return the state of an archive, marked where its set-up has changed since."""
        changed = digest and not self._settling.is_settled()
        return f"{digest} before the set-up was changed" if changed else digest

    def _said(self, series: str, source: str) -> str:
        """Return the same without the mark; an index that is damaged counts as a whole."""
        release = index.release_digest(self._root, series)
        if not release:
            return ""
        try:
            if self._indices.get(series, ("",))[0] != release:
                self._indices[series] = release, index.digests(self._root, series)
        except Damaged:
            return release
        said = (self._reprepro.made_under(), self._indices[series][1].get(source, ""))
        return hashlib.sha256(" ".join(said).encode()).hexdigest()

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
        """Include source and binaries and show them; say nothing new when they are there.

        What is there already is not brought again: a further architecture joins it. Raises Damaged
        where indices or databases are not whole: what is added then would be all that is left, or
        could be lost again.
        """
        built, series = _with_binaries(item.package), item.source.series
        if series not in self._series:
            raise SetupError(
                f"{built.source.name} was built for {series}, the archive is set up for"
                f" {', '.join(self._series)}",
                resolution="Add the series to `series` in toolsync.toml.",
            )
        with self._changing():
            if missing := self._missing(built):
                self._refuse_other_bytes(built)
                self._refuse_older(built)
                self._include(missing)
                if self._missing(built):
                    raise ProgramFailed(
                        f"reprepro took {built.changes.name} but its indices do not name all of it",
                        resolution=f"Look at it with: reprepro -b {self._root} list {series}",
                    )
        return Receipt(item=item, target=self.name, where=self.url)

    def confirm(self, item: Receipt, ledger: Ledger | None = None) -> Confirmed:
        """Fetch source and binaries with apt, from a private root and by our stanza alone.

        Raises Damaged where apt gets them, and would not get something else that it may ask for.
        """
        built = _with_binaries(item.item.package)
        offer = Offer(
            stanza=self.stanza(built.source.series),
            key=self._settling.public_key,
            fingerprints=self._settling.signers,
            newest=self.newest(built.source.name, built.source.series),
        )
        with self._workshop.folder("confirm") as folder:
            served = fetch_all(built, offer, store=self._store, folder=folder)
        if error := self.inspector.fault_of(built.source.name):
            raise error
        return Confirmed(
            receipt=item,
            statement=(
                f"apt got {built.source.name} {built.source.version} from {self.url}"
                f" {built.source.series}: {len(served)} files, every byte as built"
            ),
            served=served,
            fingerprint=self._settling.signers[0],
        )

    def fault_of(self, source: str) -> Damaged | None:
        """Return what keeps instances from a source package's files; see `target.Inspectable`."""
        return self.inspector.fault_of(source)

    def examine(self) -> str:
        """Digest all that apt may fetch; see `target.Inspectable`. Changes nothing."""
        if faults := self.inspector.look(deep=True):
            raise damaged(self._root, faults)
        if old := [how for _, how in snapshots.faults(self._root)]:
            raise damaged(self._root, [Fault(path="", message=how) for how in old])
        marks = self.inspector.checked().marks
        return f"{len(marks)} files are as they were signed" if marks else "there is none yet"

    def offers(self, source: str, series: str) -> bool:
        """Say whether the series' index names any version of a source package."""
        return source in self.inspector.sources(series)

    def recalls(self) -> tuple[str, ...]:
        """Return what the archive calls recalled; see `target.Noticeboard`."""
        return self._settling.recalls()

    def announce(self, recalls: tuple[str, ...]) -> bool:
        """Call these versions recalled in every series' signed index."""
        if recalls == self.recalls() and (not recalls or self._settling.is_settled()):
            return False
        with self._changing(before=lambda: self._settling.recall(recalls)):
            pass
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
        return stanza(self.url, series, "main non-free", self._settling.public_key)

    def stanza_at(self, series: str, moment: datetime) -> str:
        """Return the stanza by which an instance stays with what was served at a moment.

        Raises UsageError where no snapshot is kept of it, Unverified where it was signed by keys
        that sign no longer.
        """
        place = snapshots.at(self._root, moment)
        release = place / "dists" / series / "InRelease"
        if not release.is_file():
            raise UsageError(
                f"{place.name} has nothing for {series}", resolution="Name another series."
            )
        key = self._settling.public_key
        with self._workshop.folder("check") as folder:
            text = check_signers([release], key, self._settling.signers, folder=folder)
        ends = "Check-Valid-Until: no\n" if index.until(text) else ""
        url = f"{self.url}/{snapshots.FOLDER}/{place.name}"
        head, signed, tail = stanza(url, series, "main non-free", key).partition("Signed-By:")
        return f"{head}{ends}{signed}{tail}"

    def settle(self) -> bool:
        """Serve what is promised and set up; say whether anything had to be changed.

        Raises SetupError where a promised key is not here. An archive that is not there yet is
        not made.
        """
        kept = self._settling.is_kept()
        if not kept:
            with archive_held(self._root):
                self.inspector.require_index()
                self._settling.keep()
        if self._is_there():
            self.inspector.look_and_keep()
            self._keep_snapshot()
        return not kept

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
        with self._changing():
            self._reprepro.forget(old.series, old.source, old.version)

    def entries(self) -> Iterator[index.Served]:
        """Give every package that an index names, but the archive's own keyring."""
        return (item for item in index.entries(self._root) if item.source != KEYRING)

    def withdraw(self, items: Sequence[index.Served], sources: Collection[str] = ()) -> None:
        """Serve these no longer, and remove their files and what a killed call has left."""
        with self._changing():
            self._reprepro.withdraw(items)
            self._reprepro.clear({*sources, *(item.source for item in items)})

    def check(self, series: str, now: datetime) -> str:
        """Say how a series is served; see `Target.check`. A key that is lost is not made anew."""
        path = self._root / "dists" / series / "InRelease"
        if not path.is_file() and self.inspector.checked().of(series) is None:
            return f"nothing is published for {series} yet"
        key, signers = self._settling.public_key, self._settling.signers
        with self._workshop.folder("check") as folder:
            text = check_signers([path], key, signers, folder=folder)
        until = index.until(text)
        if until and until < now:
            raise Unverified(
                f"{path} is valid until {until:%Y-%m-%d %H:%M} UTC and no longer: apt refuses it",
                resolution="toolsync sync signs it anew; see that the timer runs: systemctl"
                " list-timers toolsync.timer",
            )
        count = len(index.served(self._root, series))
        return f"signed by {', '.join(signers)}, {count} files"

    def rebuild(self, wanted: Sequence[Published], pool: Pool) -> None:
        """Make the archive anew of these, and show it in one step; see `Reprepro.rebuild`.

        Before anything is changed it is known that the promised key and the bytes of all that
        is required are here: raises SetupError otherwise. What is superseded is left out where
        its bytes are gone.
        """
        with archive_held(self._root):
            self._reprepro.require_free()
            uploads = []
            whole = [one for item in wanted for one in item.whole]
            for item in (_with_buildinfo(one, pool) for one in whole):
                try:
                    for blob in item.blobs:
                        pool.require(blob)
                except Damaged:
                    if item.required:
                        raise
                    continue
                uploads.append((item.series, partial(self._bring, item)))
            self._settling.rebuild(uploads)
            self.inspector.forget()
            if faults := self.inspector.look_and_keep(deep=True):
                raise damaged(self._root, faults)

    def _bring(self, item: Published | Built, folder: Path) -> Path:
        """Put the files of an upload into a folder, and return its .changes."""
        for blob in item.files:
            self._store.copy_to(blob, folder)
        changes = self._store.copy_to(item.changes, folder)
        leave_out_unserved(changes)
        if item.buildinfo is not None:
            name_buildinfo(changes, self._store.copy_to(item.buildinfo, folder))
        return changes

    @contextmanager
    def _changing(self, before: Callable[[], object] = lambda: None) -> Iterator[None]:
        """Hold the archive while it is settled and changed; then write down what is whole."""
        with archive_held(self._root):
            self.inspector.require_index()
            before()
            self._settling.settle()
            try:
                yield
            finally:
                self.inspector.forget()
            self.inspector.look_and_keep()
            self._keep_snapshot()

    def _keep_snapshot(self) -> None:
        """Keep what is served now where that is wanted, unless it is damaged; drop what is old."""
        days, now = self._settings.snapshot_days, self._clock.now()
        if days and not self.inspector.look():
            suites = self.inspector.checked().suites
            entries = (entry for suite in suites for entry in suite.entries)
            snapshots.take(self._root, entries, now)
        snapshots.expire(self._root, days, now)

    def _is_there(self) -> bool:
        return any((self._root / "dists").glob("*/InRelease"))

    def _missing(self, item: Built) -> list[Built]:
        """Return what of a package's builds the series' indices do not name in whole."""
        known = index.served(self._root, item.source.series)
        return [
            built
            for built in item.whole
            if any(known.get(blob.name) != blob.sha256 for blob in built.served)
        ]

    def _include(self, items: Sequence[Built]) -> None:
        with self._workshop.folder("publish") as folder:
            uploads = []
            for number, item in enumerate(items):
                (place := folder / str(number)).mkdir()
                uploads.append(self._bring(item, place))
            self._reprepro.include(uploads, items[0].source.series)

    def _refuse_other_bytes(self, item: Built) -> None:
        known = {
            path.rpartition("/")[2]: digest for path, digest in self._reprepro.checksums().items()
        }
        for blob in (blob for built in item.whole for blob in built.files):
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


def _with_buildinfo(item: Published, pool: Pool) -> Published:
    """Return what is to be published again, without its .buildinfo where that is lost."""
    if item.buildinfo is not None:
        try:
            pool.require(item.buildinfo)
        except Damaged:
            return replace(item, buildinfo=None)
    return item


def _with_binaries(item: Package) -> Built:
    if isinstance(item, Built):
        return item
    raise SetupError(
        f"{item.name} {item.version} has no binaries, and the local archive builds none",
        resolution="Build here: leave `build_first` out of toolsync.toml, or name a PPA.",
    )
