"""A target in memory, for tests of what stands around targets; held to the same contract."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import datetime

from debian.debian_support import version_compare

from toolsync.archives.compare import difference
from toolsync.config.settings import Limits
from toolsync.model.errors import Held, Replaced, TryAgain, Waiting
from toolsync.model.release import Blob, Built, Compatible, Confirmed, Package, Receipt
from toolsync.publish.target import Ledger
from toolsync.system.store import Store

KEY = "-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nfake\n-----END PGP PUBLIC KEY BLOCK-----"
FINGERPRINT = "F" * 40


class FakeTarget:
    """Keeps what it is given; ``waits`` says how often `confirm` has to be asked."""

    def __init__(
        self,
        name: str,
        *,
        takes_source: bool = False,
        waits: int = 0,
        store: Store | None = None,
    ) -> None:
        self.name, self.takes_source, self.waits = name, takes_source, waits
        self.distribution = ""
        self._store = store
        """Where origs can be looked into; without one none is known with other bytes."""
        self.files: dict[str, str] = {}
        self.versions: dict[tuple[str, str], dict[str, tuple[Blob, ...]]] = {}
        self.published = 0

    def state(self, series: str, source: str) -> str:
        words = sorted(self.versions.get((series, source), {}))
        return hashlib.sha256(" ".join(words).encode()).hexdigest() if words else ""

    def known_orig(self, source: str, upstream: str, ours: Blob) -> Blob | None:
        digest = self.files.get(ours.name, ours.sha256)
        if self._store is None or digest == ours.sha256:
            return None
        kept = (b for found in self.versions.values() for blobs in found.values() for b in blobs)
        theirs = next(blob for blob in kept if blob.sha256 == digest)
        paths = self._store.path(theirs), self._store.path(ours)
        return None if difference(*paths, Limits()) else theirs

    def publish(self, item: Compatible, ledger: Ledger | None = None) -> Receipt:
        source, files = item.source, self._files(item.package)
        for blob in files:
            if self.files.get(blob.name, blob.sha256) != blob.sha256:
                raise Replaced(f"{blob.name} has another sha256 there", resolution="Look why.")
        newest = self.newest(source.name, source.series)
        if newest is not None and version_compare(source.version, newest) < 0:
            raise Held(
                f"{source.series} has {source.name} {newest}, wanted to publish {source.version}",
                resolution="Never go back.",
            )
        self.files |= {blob.name: blob.sha256 for blob in files}
        mine = self.versions.setdefault((source.series, source.name), {})
        self.published += source.version not in mine
        mine[source.version] = files
        return Receipt(item=item, target=self.name, where="memory")

    def confirm(self, item: Receipt, ledger: Ledger | None = None) -> Confirmed:
        source = item.item.source
        newest = self.newest(source.name, source.series)
        if newest != source.version:
            raise Held(
                f"{source.series} serves {source.name} {newest}, wanted {source.version}",
                resolution="Publish it.",
            )
        if self.waits:
            self.waits -= 1
            if ledger is not None:
                ledger.note("building", said="it builds")
            raise Waiting("it builds", resolution="Wait.")
        for blob in self._files(item.item.package):
            if self.files[blob.name] != blob.sha256:
                raise Replaced(
                    f"got {self.files[blob.name]}, wanted {blob.sha256}", resolution="Look why."
                )
        served = self.versions[source.series, source.name][source.version]
        return Confirmed(receipt=item, statement="kept", served=served, fingerprint=FINGERPRINT)

    def newest(self, source: str, series: str) -> str | None:
        best: str | None = None
        for version in self._of(series).get(source, {}):
            if best is None or version_compare(best, version) < 0:
                best = version
        return best

    def stanza(self, series: str) -> str:
        if not self._of(series):
            raise TryAgain(f"nothing is published for {series} yet", resolution="Publish.")
        key = "".join(f" {line or '.'}\n" for line in KEY.splitlines())
        return f"Types: deb\nURIs: memory:\nSuites: {series}\nSigned-By:\n{key}"

    def check(self, series: str, now: datetime) -> str:
        mine = self._of(series)
        if not mine:
            return f"nothing is published for {series} yet"
        files = sum(len(blobs) for found in mine.values() for blobs in found.values())
        return f"signed by {FINGERPRINT}, {files} files, {len(mine)} source packages"

    def _of(self, series: str) -> Mapping[str, Mapping[str, tuple[Blob, ...]]]:
        return {name: found for (place, name), found in self.versions.items() if place == series}

    def _files(self, item: Package) -> tuple[Blob, ...]:
        if isinstance(item, Built) and not self.takes_source:
            return item.files
        return item.source.files[1:]
