"""The target ``ppa:OWNER/NAME``: a Launchpad PPA, which takes source and builds by itself.

What dput says is only a hint: what counts is what the API shows. Before anything is sent the
API is asked, and the ledger tells that it is about to be sent; see `sending` for what keeps an
upload from being sent twice, and `follow` for the states that it goes through.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NoReturn

from toolsync.config.settings import Limits
from toolsync.config.settings import Ppa as Settings
from toolsync.model.errors import Held, Waiting
from toolsync.model.release import Blob, Compatible, Confirmed, Receipt, SourcePackage
from toolsync.publish import follow, preflight
from toolsync.publish.copying import ask_for_copy, may_copy
from toolsync.publish.origs import Fetch, Origs
from toolsync.publish.ppadoctor import looks
from toolsync.publish.ppapackage import check_architectures, check_texts
from toolsync.publish.ppastate import PpaState
from toolsync.publish.sending import Send, both, may_send, send_out
from toolsync.publish.sourceupload import laid_out, prepare, remembered
from toolsync.publish.target import Ledger, Looks, Memo
from toolsync.system.clock import Clock, parsed, stamp
from toolsync.system.dput import Server
from toolsync.system.launchpad import Launchpad
from toolsync.system.launchpadvalues import Publication
from toolsync.system.signing import Signer
from toolsync.system.store import Store
from toolsync.system.work import Workshop


class PpaTarget:
    """One PPA. The caller of `publish` holds toolsync's lock.

    What is served is asked for once and shared by all tools of a run.
    """

    def __init__(
        self,
        owner: str,
        name: str,
        *,
        settings: Settings,
        api: Launchpad,
        send: Send,
        fetch: Fetch,
        limits: Limits,
        signer: Signer,
        store: Store,
        workshop: Workshop,
        clock: Clock,
        architecture: str,
    ) -> None:
        self._owner, self._ppa, self._settings = owner, name, settings
        self._api, self._send, self._signer = api, send, signer
        self._store, self._workshop, self._clock = store, workshop, clock
        self._limits = limits
        self._reference = f"~{owner}/+archive/ubuntu/{name}"
        self._state = PpaState(
            self.name,
            self._reference,
            settings=settings,
            api=api,
            workshop=workshop,
            clock=clock,
            architecture=architecture,
        )
        self._origs = Origs(
            api,
            self._reference,
            store=store,
            fetch=fetch,
            limits=limits,
            private=lambda: self._state.archive.private,
        )
        self._checked: set[str] = set()

    @property
    def name(self) -> str:
        """``ppa:OWNER/NAME``."""
        return f"ppa:{self._owner}/{self._ppa}"

    @property
    def distribution(self) -> str:
        """``ubuntu``."""
        return "ubuntu"

    @property
    def takes_source(self) -> bool:
        """Yes: Launchpad builds."""
        return True

    @property
    def url(self) -> str:
        """Where instances find the PPA."""
        return self._state.url

    def state(self, series: str, source: str) -> str:
        """Return a digest of the versions that are published, empty when there are none."""
        return self._state.state(series, source)

    def newest(self, source: str, series: str) -> str | None:
        """Return the newest version that is published."""
        mine = (p for p in self._state.published() if p.source == source)
        return preflight.newest_of(mine, series)

    def known_orig(self, source: str, upstream: str, ours: Blob) -> Blob | None:
        """Return an orig that the PPA or Ubuntu itself has; see `Target.known_orig`."""
        return self._origs.reusable(source, upstream, ours)

    def publish(self, item: Compatible, ledger: Ledger | None = None) -> Receipt:
        """Upload the source package, unless Launchpad has it or may be about to show it."""
        source, ledger = item.source, ledger or Memo()
        history = self._api.sources(self._reference, name=source.name)
        found = _of(history, source, ledger)
        if found is None:
            now = self._clock.now()
            what = f"{source.name} {source.version} for {self.name} {source.series}"
            may_send(ledger, what, now, self._patience.accept)
            if "copy" in ledger.detail:
                unseen = now - self._patience.accept
                may_copy(self._api, source, ledger, history, self.name, unseen)
                self._check_place(source.series, self._api.me())
                ask_for_copy(self._api, source, ledger, self.name, now)
            else:
                self._upload(source, ledger, history)
        else:
            self._recognize(source, found, ledger)
        return Receipt(item=item, target=self.name, where=self._state.archive.link)

    def confirm(self, item: Receipt, ledger: Ledger | None = None) -> Confirmed:
        """Follow the upload to what instances get; see `Target.confirm`."""
        source, ledger = item.item.source, ledger or Memo()
        where = f"{self.name} {source.series}"
        history = self._api.sources(self._reference, name=source.name)
        found = _of(history, source, ledger)
        if found is None:
            self._refuse_absent(source, history, ledger)
        self._recognize(source, found, ledger)
        builds = self._api.builds(found)
        # A copy to another series has no builds of its own there, but binaries.
        done = all(build.state == follow.BUILT for build in builds)
        binaries = self._api.binaries(found) if done else ()
        status = follow.follow(
            found,
            builds,
            binaries,
            where=where,
            began=parsed(ledger.detail["accepted"]),
            now=self._clock.now(),
            patience=self._patience,
            newer=preflight.newest_of(history, source.series),
        )
        ledger.note(status.state, said=status.sentence, launchpad=status.record)
        if status.state in ("accepted", "building"):
            raise Waiting(status.sentence, resolution=status.resolution)
        if status.state != "published":
            raise Held(status.sentence, resolution=status.resolution)
        self._refuse_newer(source, history)
        return self._state.confirmed(item, binaries, ledger, self._patience.publish)

    def stanza(self, series: str) -> str:
        """Return the deb822 stanza with the PPA's key inside."""
        return self._state.stanza(series)

    def check(self, series: str, now: datetime) -> str:
        """Say how a series is served; see `Target.check`."""
        return self._state.check(series)

    def looks(self, series: Sequence[str]) -> Looks:
        """Give all that `toolsync doctor` looks at, for the series of a set-up."""
        return looks(
            self.name,
            lambda: self._state.archive,
            api=self._api,
            signer=self._signer,
            uploader=self.uploader,
            servers=both(self._server, self._settings.alternative),
            series=series,
            workshop=self._workshop,
            now=self._clock.now(),
        )

    # uploading

    def _upload(
        self, source: SourcePackage, ledger: Ledger, history: Sequence[Publication]
    ) -> None:
        """Send what was never sent, after all that can be known before has been looked at."""
        try:
            self._preflight(source, history)
        except Held as error:
            ledger.note("rejected", said=str(error))
            raise
        with self._signer.opened() as env:
            upload = remembered(source, ledger.detail, self._store)
            if upload is None:
                upload = prepare(
                    source, signer=self._signer, env=env, store=self._store, shop=self._workshop
                )
                ledger.note("claimed", **upload.noted(), key=self._signer.fingerprint)
            with self._workshop.folder("upload") as folder:
                send_out(
                    ledger,
                    laid_out(upload, self._store, folder),
                    both(self._server, self._settings.alternative),
                    send=self._send,
                    env=env,
                    clock=self._clock,
                    retries=self._settings.retries,
                )
        self._state.changed()

    def _preflight(self, source: SourcePackage, history: Sequence[Publication]) -> None:
        self._signer.alive(self._clock.now())
        self._check_place(source.series, self.uploader())
        check_texts(source, self._store, self._limits)
        if "key" not in self._checked:
            preflight.check_key(self._api, self._signer.fingerprint, self.uploader())
            self._checked.add("key")
        check_architectures(self._api, self._reference, source, self._store)
        preflight.check_version(source, history, self.name)
        preflight.check_orig(self._api, source, history, self._origs)

    def _check_place(self, series: str, person: str) -> None:
        """See once in a run that the PPA takes something for a series from a person."""
        preflight.check_archive(self._state.archive)
        if f"{series} {person}" not in self._checked:
            preflight.check_series(self._api, self._state.archive, series)
            preflight.check_rights(self._api, self._reference, person, series, self.name)
            self._checked.add(f"{series} {person}")

    def uploader(self) -> str:
        """Return the Launchpad account that uploads, as far as it is known."""
        if self._settings.login != "anonymous":
            return self._settings.login
        return self._owner if self._api.is_anonymous else self._api.me()

    # following

    def _recognize(self, source: SourcePackage, found: Publication, ledger: Ledger) -> None:
        """See once that what Launchpad has is what we have, and note that it was accepted."""
        if "accepted" in ledger.detail:
            return
        if found.series != source.series:
            preflight.check_version(source, [found], self.name)
        try:
            preflight.check_files(self._api, source, found)
        except Held as error:
            ledger.note("rejected", said=str(error))
            raise
        now = stamp(self._clock.now())
        record = follow.record_of(found)
        ledger.note("accepted", accepted=now, launchpad=record, said=f"seen by Launchpad: {now}")

    def _refuse_absent(
        self, source: SourcePackage, history: Sequence[Publication], ledger: Ledger
    ) -> NoReturn:
        what = f"{source.name} {source.version} for {self.name} {source.series}"
        may_send(ledger, what, self._clock.now(), self._patience.accept)
        newest = preflight.newest_of(history, source.series)
        raise Held(
            f"{source.series} serves {source.name} {newest or '(nothing)'},"
            f" wanted {source.version}",
            resolution="Publish it: toolsync sync.",
        )

    def _refuse_newer(self, source: SourcePackage, history: Sequence[Publication]) -> None:
        newest = preflight.newest_of(history, source.series)
        if newest != source.version:
            raise Held(
                f"{source.series} serves {source.name} {newest or '(nothing)'},"
                f" wanted {source.version}",
                resolution="If a newer one took its place, nothing is to be done.",
            )

    # settings

    @property
    def _server(self) -> Server:
        settings = self._settings
        return Server(
            host=settings.host,
            method=settings.method,
            login=settings.login,
            incoming=f"~{self._owner}/ubuntu/{self._ppa}",
            known_hosts=settings.known_hosts,
            identity=settings.identity,
        )

    @property
    def _patience(self) -> follow.Patience:
        return follow.Patience(
            accept=timedelta(minutes=self._settings.accept_minutes),
            build=timedelta(hours=self._settings.build_hours),
            publish=timedelta(hours=self._settings.publish_hours),
        )


def _of(
    history: Sequence[Publication], source: SourcePackage, ledger: Ledger
) -> Publication | None:
    """Return the publication of this version in its series; a copy's may be in others too."""
    same = [found for found in history if found.version == source.version]
    other = same[0] if same and "copy" not in ledger.detail else None
    return next((found for found in same if found.series == source.series), other)
