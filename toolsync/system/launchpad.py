"""The gateway to Launchpad's API: launchpadlib's answers as frozen values.

launchpadlib is told everything that it would else guess: which Launchpad, version ``devel``
(only there packages can be copied), where to cache, what token. It is never given a way to
ask a person for a new token. Failing servers are asked again by us, with the given clock.
"""

from __future__ import annotations

import re
import weakref
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path

from toolsync.model.errors import NotThere, SetupError, Unreachable
from toolsync.system.clock import Clock
from toolsync.system.launchpadhttp import connect, refusal, said
from toolsync.system.launchpadvalues import (
    Archive,
    Binary,
    Build,
    Entry,
    Publication,
    RemoteFile,
    read_archive,
    read_binary,
    read_build,
    read_file,
    read_publication,
    text,
    value,
)
from toolsync.system.private import private_folder
from toolsync.system.work import remove_tree

VERSION = "devel"
CONSUMER = "toolsync"
_MANY = 20_000
"""Entries; no PPA's history is longer."""
_WAITS = (2.0, 8.0, 30.0)
"""Seconds before a failing server is asked again, unless it names a time itself."""
_LONGEST = 120.0
_SOME_SOURCE = "hello"
"""The name of a source package that Launchpad surely has: a PPA's rights are those on all."""
_PPA = re.compile(r"~[^/]+/\+archive/ubuntu/[^/]+")
_CACHED = 1000
"""Files in the cache."""


class Launchpad:
    """One Launchpad, asked with a token or anonymously.

    ``cache`` is a folder of ours; ``token`` the file that `login` wrote, asked anonymously
    while there is none.
    """

    def __init__(
        self, root: str, *, cache: Path, token: Path, clock: Clock, timeout: float = 60
    ) -> None:
        self._root, self._cache, self._token = root, cache, token
        self._clock, self._timeout = clock, timeout

    @property
    def is_anonymous(self) -> bool:
        """Whether nobody has logged in."""
        return not self._token.is_file()

    def archive(self, reference: str) -> Archive:
        """Return a PPA; raise SetupError where there is none (or none that we may see)."""
        found = self._entry(reference)
        with self._answers(f"the PPA {reference}"):
            return read_archive(found, reference)

    def sources(
        self, reference: str, *, name: str = "", status: str = "", version: str = ""
    ) -> tuple[Publication, ...]:
        """Return source publications of a PPA, newest first.

        Without ``status`` all that ever were, those that were deleted long ago too.
        """
        words: dict[str, object] = {"order_by_date": True}
        if name:
            words |= {"source_name": name, "exact_match": True}
        if status:
            words["status"] = status
        if version:
            words["version"] = version
        archive = self._entry(reference)
        with self._answers(f"the packages of {reference}"):
            entries = list(_all(archive.getPublishedSources(**words)))
            found = tuple(map(read_publication, entries))
        # Asked for its builds, an entry that is at hand need not be asked for itself.
        self._entries.update(zip((item.link for item in found), entries, strict=True))
        return found

    def builds(self, publication: Publication) -> tuple[Build, ...]:
        """Return the builds of a source publication."""
        entry = self._entry(publication.link)
        with self._answers(f"the builds of {publication.source} {publication.version}"):
            return tuple(map(read_build, _all(entry.getBuilds())))

    def binaries(self, publication: Publication) -> tuple[Binary, ...]:
        """Return the binary packages that were made of a source publication."""
        entry = self._entry(publication.link)
        with self._answers(f"the binaries of {publication.source} {publication.version}"):
            return tuple(map(read_binary, _all(entry.getPublishedBinaries())))

    def files(self, publication: Publication) -> tuple[RemoteFile, ...]:
        """Return the files of a source publication, with their digests."""
        entry = self._entry(publication.link)
        with self._answers(f"the files of {publication.source} {publication.version}"):
            return tuple(map(read_file, entry.sourceFileUrls(include_meta=True)))

    def signing_key(self, reference: str) -> str:
        """Return the armored public key that signs a PPA's indices, empty while it has none."""
        archive = self._entry(reference)
        try:
            with self._answers(f"the key of {reference}"):
                found = archive.getSigningKeyData()
        except NotThere as error:
            raise Unreachable(
                f"Launchpad's key server does not give the key of {reference}",
                resolution="Run again later.",
            ) from error
        text = found.decode() if isinstance(found, bytes) else str(found or "")
        return text if "BEGIN PGP PUBLIC KEY BLOCK" in text else ""

    def is_team(self, name: str) -> bool:
        """Say whether this is a team, which has no keys of its own."""
        found = self._entry(f"~{name}")
        with self._answers(f"~{name}"):
            return bool(value(found, "is_team"))

    def keys(self, person: str) -> tuple[str, ...]:
        """Return the fingerprints of the OpenPGP keys that a person or team has registered."""
        found = self._entry(f"~{person}")
        with self._answers(f"the keys of ~{person}"):
            return tuple(text(key, "fingerprint").upper() for key in _all(found.gpg_keys))

    def me(self) -> str:
        """Return the Launchpad id of who has logged in."""
        with self._answers("who has logged in"):
            return text(self._service.me, "name")

    def series(self, distribution: str) -> Mapping[str, str]:
        """Return the status of each of a distribution's series, by code name."""
        found = self._entry(distribution)
        with self._answers(f"the series of {distribution}"):
            return {text(s, "name"): text(s, "status") for s in _all(found.series)}

    def architectures(self, reference: str, series: str) -> tuple[str, ...]:
        """Return the architectures that a PPA builds in a series of Ubuntu."""
        key = (reference, series)
        if key not in self._architectures:
            archive, place = self._entry(reference), self._entry(f"ubuntu/{series}")
            with self._answers(f"what {reference} builds in {series}"):
                processors = {text(one, "self_link") for one in _all(archive.processors)}
                self._architectures[key] = tuple(
                    text(one, "architecture_tag")
                    for one in _all(place.architectures)
                    if value(one, "enabled") and text(one, "processor_link") in processors
                )
        return self._architectures[key]

    def may_upload(self, reference: str, person: str, series: str) -> str:
        """Return why a person may not upload to a PPA, empty if it may."""
        archive = self._entry(reference)
        with self._answers(f"the rights on {reference}"):
            try:
                archive.checkUpload(
                    person=f"{self._base}~{person}",
                    distroseries=f"{self._base}ubuntu/{series}",
                    sourcepackagename=_SOME_SOURCE,
                    component="main",
                    pocket="Release",
                )
            except Exception as error:
                if getattr(getattr(error, "response", None), "status", 0) in (400, 403):
                    return said(error)
                raise
            return ""

    def copy(
        self,
        source: str,
        version: str,
        *,
        origin: str,
        origin_series: str,
        target: str,
        series: str,
        binaries: bool,
    ) -> None:
        """Ask for a copy of a source package; it happens later, so look for the publication.

        The origin's series is named, or Launchpad may take another copy that is not published.
        Raises Held when Launchpad refuses, which it may do later too, by mail alone.
        """
        archive, other = self._entry(target), self._entry(origin)
        with self._answers(f"the copy of {source} {version} to {target} {series}"):
            archive.copyPackage(
                source_name=source,
                version=version,
                from_archive=other,
                from_series=origin_series,
                to_series=series,
                to_pocket="Release",
                include_binaries=binaries,
                unembargo=False,
            )

    # the inside

    @cached_property
    def _service(self) -> Entry:
        """The API's root, connected at first use."""
        private_folder(self._cache)
        if sum(1 for _ in self._cache.iterdir()) > _CACHED:
            remove_tree(self._cache)  # every question ever asked is kept there
        with self._answers("the API"):
            service = connect(
                self._root,
                version=VERSION,
                consumer=CONSUMER,
                cache=str(self._cache),
                token=None if self.is_anonymous else self._token,
                timeout=self._timeout,
                again=self._again,
            )
        weakref.finalize(self, service._browser._connection.close)
        return service

    @property
    def _base(self) -> str:
        return str(self._service._root_uri)

    def _again(self, tried: int, told: str) -> bool:
        """Wait before a failing server is asked again; say whether that is worth it."""
        if tried >= len(_WAITS):
            return False
        seconds = float(told) if told.isdigit() else _WAITS[tried]
        if seconds > _LONGEST:
            return False
        self._clock.sleep(seconds)
        return True

    def _entry(self, link: str) -> Entry:
        """Return an entry by its link or path; a PPA that is not there does not come by waiting."""
        service = self._service
        kept = self._entries
        if link not in kept:
            try:
                with self._answers(link):
                    kept[link] = service.load(link)
            except NotThere as error:
                if not _PPA.fullmatch(link):
                    raise
                raise SetupError(
                    f"Launchpad has not: the PPA {link}; it was deleted, or never was",
                    resolution="See that it is spelled right, or name another: `target` in"
                    " toolsync.toml, or --target.",
                ) from error
        return kept[link]

    @cached_property
    def _entries(self) -> dict[str, Entry]:
        return {}

    @cached_property
    def _architectures(self) -> dict[tuple[str, str], tuple[str, ...]]:
        return {}

    @contextmanager
    def _answers(self, what: str) -> Iterator[None]:
        """Raise launchpadlib's errors as errors of toolsync."""
        from lazr.restfulclient.errors import HTTPError, RestfulError

        try:
            yield
        except HTTPError as error:
            raise refusal(what, error, anonymous=self.is_anonymous) from error
        except (RestfulError, ValueError, KeyError, AttributeError, TypeError) as error:
            raise Unreachable(
                f"Launchpad's answer about {what} makes no sense: {type(error).__name__}: {error}",
                resolution="Run again later; if it stays so, Launchpad's API has changed.",
            ) from error


def _all(collection: Iterable[Entry]) -> Iterator[Entry]:
    """Yield the entries of a collection, page by page; more than any PPA has is an error."""
    for number, entry in enumerate(collection):
        if number >= _MANY:
            raise ValueError(f"more than {_MANY} entries")
        yield entry
