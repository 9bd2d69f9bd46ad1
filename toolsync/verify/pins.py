"""Prove a release by a digest known beforehand: pinned in tool.toml, or stated by the index.

A pin is what a person has checked once; an index digest is what the package index says over
HTTPS, and so no more than the index's own word.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

from toolsync.config.definition import Tool
from toolsync.config.record import PageKind, Table
from toolsync.model.errors import Unverified
from toolsync.model.release import Fetched, Release, Verified
from toolsync.system.store import Store
from toolsync.verify.method import Given, Method


def verify_pinned(given: Given) -> Verified:
    """Return the release as the bytes pinned for its version, or raise Unverified."""
    item, tool = given.item, given.tool
    version, found = item.release.version, item.archive.sha256
    pin = tool.verify.pins.get(version)
    if pin is None:
        others = [known for known, digest in tool.verify.pins.items() if digest == found]
        twin = f"; it is the very file that is pinned as {' and '.join(others)}" if others else ""
        beware = "Treat it as an attack: an old file under a newer name. " if others else ""
        raise Unverified(
            f"{tool.name} {version} has no pin: {item.archive.name} has the sha256 {found}, and"
            f" nobody has said yet that this is right{twin}",
            resolution=f"{beware}Look at {given.store.path(item.archive)}, which is the file; once"
            f" it is checked by hand, write into {tool.editable}:\n[verify.pins]\n"
            f"{pin_line(version, found)}",
        )
    if pin != found:
        raise Unverified(
            f"{tool.name} {version} is not the pinned file: {item.archive.name} has the sha256"
            f" {found}, wanted {pin}",
            resolution="Ask upstream why the file has changed; keep the pin until that is known.",
        )
    return Verified(
        fetched=item,
        method="pins",
        statement=f"sha256 {found} as pinned for version {version}",
    )


def verify_index(given: Given) -> Verified:
    """Return the release as the bytes that the package index states, or raise Unverified."""
    item = given.item
    stated, found = item.release.sha256.lower(), item.archive.sha256
    if not stated and item.release.sha512:
        check_sha512(item, given.store)
        return Verified(
            fetched=item, method="index", statement="sha512 as stated by the package index"
        )
    if not stated:
        raise Unverified(
            f"{item.release.page} states no sha256 for {item.archive.name} (found {found}), and"
            " the method index needs one",
            resolution="Declare another method under [verify] in tool.toml, such as pins.",
        )
    if stated != found:
        raise not_as_stated(item)
    return Verified(fetched=item, method="index", statement="sha256 as stated by the package index")


def _has_no_pin(tool: Tool, release: Release) -> bool:
    """Say whether a person's pin is missing: other bytes would not help."""
    return release.version not in tool.verify.pins


def _stated_by_upstream(_watch: Table, kind: PageKind) -> Iterator[str]:
    if not kind.states_digests:
        yield f"verify.method: index needs a page that states digests; a {kind.name}'s is our own"


PINS = Method(
    name="pins",
    about="a digest that somebody has checked and written into tool.toml",
    verify=verify_pinned,
    waits=_has_no_pin,
)
INDEX = Method(
    name="index",
    about="the digest that the package index states, over HTTPS",
    verify=verify_index,
    faults=_stated_by_upstream,
)


def check_sha512(item: Fetched, store: Store) -> None:
    """Raise Unverified where the archive has another SHA-512 than its page states."""
    with store.path(item.archive).open("rb") as file:
        found = hashlib.file_digest(file, "sha512").hexdigest()
    if found != item.release.sha512:
        raise Unverified(
            f"{item.archive.name} is not the file that {item.release.page} states: its sha512 is"
            f" {found}, wanted {item.release.sha512}",
            resolution="Run again; if it stays so, upstream has changed the file or its page: ask.",
        )


def not_as_stated(item: Fetched) -> Unverified:
    """Return the refusal of a file whose digest differs from the one that its page states."""
    return Unverified(
        f"{item.archive.name} is not the file that {item.release.page} states: its sha256 is"
        f" {item.archive.sha256}, wanted {item.release.sha256.lower()}",
        resolution="Run again; if it stays so, upstream has changed the file or its page: ask.",
    )


def pin_line(version: str, digest: str) -> str:
    """Return the line of tool.toml that pins a digest."""
    return f'"{version}" = "{digest}"'
