"""What a PPA serves, by Launchpad's API and by apt.

Answers are kept and shared by all tools of a run, until `changed` is called.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import timedelta

from toolsync.config.settings import Ppa as Settings
from toolsync.model.errors import Held, SetupError, ToolsyncError, TryAgain, Unverified, Waiting
from toolsync.model.release import Blob, Confirmed, Receipt, SourcePackage
from toolsync.publish import served
from toolsync.publish.target import Ledger
from toolsync.system.clock import Clock
from toolsync.system.launchpad import Launchpad
from toolsync.system.launchpadvalues import Archive, Binary, Publication
from toolsync.system.work import Workshop


class PpaState:
    """The packages that one PPA serves."""

    def __init__(
        self,
        name: str,
        reference: str,
        *,
        settings: Settings,
        api: Launchpad,
        workshop: Workshop,
        clock: Clock,
        architecture: str,
    ) -> None:
        self._name, self._reference, self._settings = name, reference, settings
        self._api, self._workshop, self._clock = api, workshop, clock
        self._architecture = architecture
        self._found_archive: Archive | None = None
        self._listing: tuple[Publication, ...] | None = None

    @property
    def url(self) -> str:
        """Where instances find the PPA."""
        place = self._name.removeprefix("ppa:")
        return f"{self._settings.archive.rstrip('/')}/{place}/ubuntu"

    @property
    def archive(self) -> Archive:
        """The PPA as its owner set it up."""
        if self._found_archive is None:
            self._found_archive = self._api.archive(self._reference)
        return self._found_archive

    def published(self) -> tuple[Publication, ...]:
        """Return what is Published, of all sources and series."""
        if self._listing is None:
            self._listing = self._api.sources(self._reference, status="Published")
        return self._listing

    def changed(self) -> None:
        """Drop the kept answers, after an upload."""
        self._listing = None

    def state(self, series: str, source: str) -> str:
        """Return a digest of the versions that are published, empty when there are none."""
        mine = [p for p in self.published() if (p.series, p.source) == (series, source)]
        words = sorted(f"{p.version} {p.status} {p.link}" for p in mine)
        return hashlib.sha256("\n".join(words).encode()).hexdigest() if words else ""

    def stanza(self, series: str) -> str:
        """Return the deb822 stanza with the PPA's key inside."""
        if not any(p.series == series for p in self.published()):
            raise TryAgain(
                f"nothing is published for {series} yet in {self._name}",
                resolution=f"Publish first: toolsync sync --target {self._name}",
            )
        return served.stanza(self.url, series, "main", self._key())

    def check(self, series: str) -> str:
        """Say how a series is served; see `Target.check`."""
        mine = [p for p in self.published() if p.series == series]
        if not mine:
            return f"nothing is published for {series} yet"
        told = f"{len(mine)} source packages"
        if not self._asks_apt:
            return f"{told}, says Launchpad; apt was not asked"
        with self._workshop.folder("check") as folder:
            served.look(self._offer(series, None), folder)
        return f"signed by {self.archive.fingerprint}, {told}"

    def confirmed(
        self, item: Receipt, binaries: Sequence[Binary], ledger: Ledger, patience: timedelta
    ) -> Confirmed:
        """See that what is Published is served; apt may find it as much later as ``patience``.

        Raises Waiting for so long, then Held.
        """
        source, archive = item.item.source, self.archive
        debs = {f"{b.name}={b.version}" for b in binaries if self._is_for_us(b.arch)}
        files = self._served(source, sorted(debs), ledger, patience)
        if not any(
            (p.source, p.version, p.series) == (source.name, source.version, source.series)
            for p in self.published()
        ):
            self.changed()  # it was asked for before this was published
        how = f"apt got {len(files)} files" if self._asks_apt else "Launchpad names its files"
        return Confirmed(
            receipt=item,
            statement=f"{source.name} {source.version} is built and published in {self._name}"
            f" {source.series}; {how}, every source file as sent",
            served=files,
            fingerprint=archive.fingerprint,
        )

    def _served(
        self, source: SourcePackage, debs: Sequence[str], ledger: Ledger, patience: timedelta
    ) -> tuple[Blob, ...]:
        """Return what instances are offered: asked for with apt, or as the API tells it."""
        wanted = (*source.files[1:],)
        if not self._asks_apt:
            return wanted
        try:
            with self._workshop.folder("confirm") as folder:
                offer = self._offer(source.series, source.version)
                return served.fetch_source(source, wanted, debs, offer, folder=folder)
        except (Unverified, SetupError):
            raise
        except ToolsyncError as error:
            return self._not_yet_on_disk(source, error, ledger, patience)

    def _not_yet_on_disk(
        self, source: SourcePackage, error: ToolsyncError, ledger: Ledger, patience: timedelta
    ) -> tuple[Blob, ...]:
        """Wait while the web server is behind the API: raise Waiting, after ``patience`` Held."""
        since = max(self._clock.now() - ledger.since, timedelta())
        said = f"Launchpad says that {source.name} {source.version} is published, but {error}"
        if since <= patience:
            raise Waiting(said, resolution="Nothing is to be done: the next run looks again.")
        ledger.note("stuck", said=said)
        raise Held(said, resolution=f"Look at {self.archive.link} and {self.url} .")

    @property
    def _asks_apt(self) -> bool:
        return self._settings.apt and not self.archive.private

    def _offer(self, series: str, newest: str | None) -> served.Offer:
        key = self._key()
        return served.Offer(
            stanza=served.stanza(self.url, series, "main", key),
            key=key,
            fingerprints=(self.archive.fingerprint,),
            newest=newest,
        )

    def _key(self) -> str:
        key = self._api.signing_key(self._reference)
        if not key:
            raise TryAgain(
                f"{self._name} has no signing key yet: Launchpad makes it after the first upload",
                resolution="Try again in an hour.",
            )
        return key

    def _is_for_us(self, arch: str) -> bool:
        return arch in ("all", self._architecture)
