"""Launchpad's answers as frozen values: printable, bounded, with defaults for what is missing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias
from urllib.parse import unquote, urlsplit

Entry: TypeAlias = Any
"""What launchpadlib returns: objects whose attributes follow from the server's WADL."""


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
    """``Active``, ``Deleting`` or ``Deleted``."""
    takes_obsolete: bool
    """Whether it takes uploads for series that have ended."""
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


def read_archive(entry: object, reference: str) -> Archive:
    """Read an archive, found under ``reference``."""
    return Archive(
        reference=reference,
        title=text(entry, "displayname"),
        link=text(entry, "web_link"),
        private=bool(value(entry, "private")),
        publish=value(entry, "publish") is not False,
        status=text(entry, "status"),
        takes_obsolete=bool(value(entry, "permit_obsolete_series_uploads")),
        allowed=in_bytes(value(entry, "authorized_size"), 1024**2),
        fingerprint=text(entry, "signing_key_fingerprint").upper(),
    )


def read_build(entry: object) -> Build:
    """Read a build."""
    return Build(
        arch=text(entry, "arch_tag"),
        state=text(entry, "buildstate"),
        link=text(entry, "web_link"),
        log=text(entry, "build_log_url"),
    )


def read_binary(entry: object) -> Binary:
    """Read a binary_package_publishing_history."""
    return Binary(
        name=text(entry, "binary_package_name"),
        version=text(entry, "binary_package_version"),
        arch=text(entry, "distro_arch_series_link").rpartition("/")[2],
        status=text(entry, "status"),
    )


def read_publication(entry: object) -> Publication:
    """Read a source_package_publishing_history."""
    return Publication(
        link=text(entry, "self_link"),
        source=text(entry, "source_package_name"),
        version=text(entry, "source_package_version"),
        series=urlsplit(text(entry, "distro_series_link")).path.rpartition("/")[2],
        status=text(entry, "status"),
        published=text(entry, "date_published"),
    )


def read_file(found: Entry) -> RemoteFile:
    """Read one of `sourceFileUrls`: an object with metadata, or only an address."""
    if isinstance(found, str):
        found = {"url": found}
    url = str(found["url"])
    return RemoteFile(
        url=url,
        name=unquote(urlsplit(url).path).rpartition("/")[2],
        sha256=str(found.get("sha256") or ""),
        size=int(found.get("size") or 0),
    )


def value(entry: object, name: str) -> object:
    """Return an attribute, None where this Launchpad's entry has none."""
    return getattr(entry, name, None)


def text(entry: object, name: str) -> str:
    """Return an attribute as printable text of bounded length, empty where there is none."""
    found = value(entry, name)
    if found is None:
        return ""
    plain = found.isoformat() if hasattr(found, "isoformat") else str(found)
    return "".join(letter for letter in plain if letter.isprintable())[:2000]


def in_bytes(size: object, unit: int) -> int | None:
    """Return a size of so many units, None where none is told."""
    return int(size) * unit if isinstance(size, int | float) and size else None
