"""The gateway to Launchpad's API: launchpadlib's answers as frozen values.

launchpadlib is told everything that it would else guess: which Launchpad, version ``devel``
(only there packages can be copied), where to cache, what token. It is never given a way to
ask a person for a new token. Failing servers are asked again by us, with the given clock.
"""

from __future__ import annotations

import weakref
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

from toolsync.errors import Held, NotThere, SetupError, Unreachable
from toolsync.system.clock import Clock
from toolsync.system.work import remove_tree

T = TypeVar("T")

VERSION = "devel"
CONSUMER = "toolsync"
_MANY = 20_000
"""Entries; no PPA's history is longer."""
_WAITS = (2.0, 8.0, 30.0)
"""Seconds before a failing server is asked again, unless it names a time itself."""
_LONGEST = 120.0
_CACHED = 1000
"""Files in the cache."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Archive:
    """A PPA as its owner set it up."""

    reference: str
    """``~owner/+archive/ubuntu/name``, as all methods here want it."""
    title: str
    link: str
    """The page for people."""
    private: bool
    publish: bool
    status: str
    allowed: int | None
    """Bytes that it may use; how many it does use the API does not tell."""
    fingerprint: str
    """The key that signs its indices, empty while it has none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Publication:
    """One version of a source package in one series, at any time of its life."""

    link: str
    """The API's own name of it."""
    source: str
    version: str
    series: str
    status: str
    """Pending, Published, Superseded, Deleted or Obsolete."""
    published: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Build:
    """One build of a source package for one architecture."""

    arch: str
    state: str
    """In Launchpad's words, such as ``Successfully built``."""
    link: str
    log: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Binary:
    """A binary package's publication."""

    name: str
    version: str
    arch: str
    status: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteFile:
    """A file of a source package."""

    url: str
    name: str
    sha256: str
    """Empty where Launchpad does not tell."""
    size: int


class Launchpad:
    """One Launchpad, asked in somebody's name or in nobody's.

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
        """Return a PPA; raise NotThere where there is none (or none that we may see)."""
        found = self._entry(reference)
        with self._answers(f"the PPA {reference}"):
            return Archive(
                reference=reference,
                title=_text(found, "displayname"),
                link=_text(found, "web_link"),
                private=bool(_value(found, "private")),
                publish=_value(found, "publish") is not False,
                status=_text(found, "status"),
                allowed=_bytes(_value(found, "authorized_size"), 1024**2),
                fingerprint=_text(found, "signing_key_fingerprint").upper(),
            )

    def sources(
        self, reference: str, *, name: str = "", status: str = "", version: str = ""
    ) -> tuple[Publication, ...]:
        """Return source publications of a PPA, newest first.

        Without ``status`` all that ever were, those that were deleted long ago too.
        """
        words: dict[str, Any] = {"order_by_date": True}
        if name:
            words |= {"source_name": name, "exact_match": True}
        if status:
            words["status"] = status
        if version:
            words["version"] = version
        archive = self._entry(reference)
        with self._answers(f"the packages of {reference}"):
            entries = list(_all(archive.getPublishedSources(**words)))
            found = tuple(map(_publication, entries))
        # Asked for its builds, an entry that is at hand need not be asked for itself.
        self._entries.update(zip((item.link for item in found), entries, strict=True))
        return found

    def builds(self, publication: Publication) -> tuple[Build, ...]:
        """Return the builds of a source publication."""
        entry = self._entry(publication.link)
        with self._answers(f"the builds of {publication.source} {publication.version}"):
            return tuple(
                Build(
                    arch=_text(build, "arch_tag"),
                    state=_text(build, "buildstate"),
                    link=_text(build, "web_link"),
                    log=_text(build, "build_log_url"),
                )
                for build in _all(entry.getBuilds())
            )

    def binaries(self, publication: Publication) -> tuple[Binary, ...]:
        """Return the binary packages that were made of a source publication."""
        entry = self._entry(publication.link)
        with self._answers(f"the binaries of {publication.source} {publication.version}"):
            return tuple(
                Binary(
                    name=_text(binary, "binary_package_name"),
                    version=_text(binary, "binary_package_version"),
                    arch=_text(binary, "distro_arch_series_link").rpartition("/")[2],
                    status=_text(binary, "status"),
                )
                for binary in _all(entry.getPublishedBinaries())
            )

    def files(self, publication: Publication) -> tuple[RemoteFile, ...]:
        """Return the files of a source publication, with their digests."""
        entry = self._entry(publication.link)
        with self._answers(f"the files of {publication.source} {publication.version}"):
            return tuple(map(_file, entry.sourceFileUrls(include_meta=True)))

    def signing_key(self, reference: str) -> str:
        """Return the armored public key that signs a PPA's indices, empty while it has none."""
        archive = self._entry(reference)
        with self._answers(f"the key of {reference}"):
            found = archive.getSigningKeyData()
        text = found.decode() if isinstance(found, bytes) else str(found or "")
        return text if "BEGIN PGP PUBLIC KEY BLOCK" in text else ""

    def is_team(self, name: str) -> bool:
        """Say whether this is a team, which has no keys of its own."""
        found = self._entry(f"~{name}")
        with self._answers(f"~{name}"):
            return bool(_value(found, "is_team"))

    def keys(self, person: str) -> tuple[str, ...]:
        """Return the fingerprints of the OpenPGP keys that a person or team has registered."""
        found = self._entry(f"~{person}")
        with self._answers(f"the keys of ~{person}"):
            return tuple(_text(key, "fingerprint").upper() for key in _all(found.gpg_keys))

    def me(self) -> str:
        """Return the Launchpad id of who has logged in."""
        with self._answers("who has logged in"):
            return _text(self._service.me, "name")

    def series(self, distribution: str) -> Mapping[str, bool]:
        """Return whether each of a distribution's series takes uploads, by code name."""
        found = self._entry(distribution)
        with self._answers(f"the series of {distribution}"):
            return {_text(s, "name"): bool(_value(s, "active")) for s in _all(found.series)}

    def may_upload(self, reference: str, person: str, series: str, source: str) -> str:
        """Return why a person may not upload a source package, empty if it may."""
        archive = self._entry(reference)
        with self._answers(f"the rights on {reference}"):
            try:
                archive.checkUpload(
                    person=f"{self._base}~{person}",
                    distroseries=f"{self._base}ubuntu/{series}",
                    sourcepackagename=source,
                    component="main",
                    pocket="Release",
                )
            except Exception as error:
                if getattr(getattr(error, "response", None), "status", 0) in (400, 403):
                    return _said(error)
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
    def _service(self) -> Any:
        from toolsync.system.launchpadhttp import connect

        self._cache.mkdir(parents=True, exist_ok=True)
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

    def _entry(self, link: str) -> Any:
        """Return an entry by its link or path, without asking for it before it is needed."""
        service = self._service
        kept: dict[str, Any] = self._entries
        if link not in kept:
            with self._answers(link):
                kept[link] = service.load(link)
        return kept[link]

    @cached_property
    def _entries(self) -> dict[str, Any]:
        return {}

    @contextmanager
    def _answers(self, what: str) -> Iterator[None]:
        """Put what launchpadlib raises into our words."""
        from lazr.restfulclient.errors import HTTPError, RestfulError

        try:
            yield
        except HTTPError as error:
            raise _refusal(what, error, anonymous=self.is_anonymous) from error
        except (RestfulError, ValueError, KeyError, AttributeError, TypeError) as error:
            raise Unreachable(
                f"Launchpad's answer about {what} makes no sense: {type(error).__name__}: {error}",
                resolution="Run again later; if it stays so, Launchpad's API has changed.",
            ) from error


def _refusal(what: str, error: Any, *, anonymous: bool) -> Exception:
    status = getattr(getattr(error, "response", None), "status", 0)
    said = _said(error)
    if status == 401:
        if anonymous:
            return SetupError(
                f"Launchpad does not show {what} to everybody: {said}",
                resolution="Log in once: toolsync launchpad login",
            )
        return SetupError(
            f"Launchpad no longer takes the token for {what}: {said}",
            resolution="It was revoked or has expired. Log in anew: toolsync launchpad login",
        )
    if status == 403:
        return SetupError(
            f"Launchpad does not allow {what}: {said}",
            resolution="Log in as somebody who may: toolsync launchpad login",
        )
    if status in (404, 410):
        return NotThere(
            f"Launchpad has not: {what}",
            resolution="See that it is spelled right, exists, and is not private.",
        )
    if status == 400:
        return Held(f"Launchpad refuses {what}: {said}", resolution="Mend what it says.")
    return Unreachable(
        f"Launchpad answers with status {status} about {what}: {said}",
        resolution="Run again later.",
    )


def _said(error: Any) -> str:
    content = getattr(error, "content", b"") or b""
    text = content.decode(errors="replace") if isinstance(content, bytes) else str(content)
    first = next((line.strip() for line in text.splitlines() if line.strip()), "no reason given")
    return first[:300]


def _all(collection: Any) -> Iterator[Any]:
    """Give the entries of a collection, page by page; more than any PPA has is an error."""
    for number, entry in enumerate(collection):
        if number >= _MANY:
            raise ValueError(f"more than {_MANY} entries")
        yield entry


def _publication(entry: Any) -> Publication:
    return Publication(
        link=_text(entry, "self_link"),
        source=_text(entry, "source_package_name"),
        version=_text(entry, "source_package_version"),
        series=urlsplit(_text(entry, "distro_series_link")).path.rpartition("/")[2],
        status=_text(entry, "status"),
        published=_text(entry, "date_published"),
    )


def _file(found: Any) -> RemoteFile:
    """Read one of `sourceFileUrls`: an object with meta data, or a mere address."""
    if isinstance(found, str):
        found = {"url": found}
    url = str(found["url"])
    return RemoteFile(
        url=url,
        name=url.rpartition("/")[2],
        sha256=str(found.get("sha256") or ""),
        size=int(found.get("size") or 0),
    )


def _value(entry: Any, name: str) -> Any:
    """Return an attribute, None where this Launchpad's entry has none."""
    return getattr(entry, name, None)


def _text(entry: Any, name: str) -> str:
    value = _value(entry, name)
    if value is None:
        return ""
    plain = value.isoformat() if hasattr(value, "isoformat") else str(value)
    return "".join(letter for letter in plain if letter.isprintable())[:2000]


def _bytes(value: Any, unit: int) -> int | None:
    return int(value) * unit if isinstance(value, int | float) and value else None
