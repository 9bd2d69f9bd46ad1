"""The bytes under which a version was first accepted: nothing else is ever taken for it.

This is the only place that compares them, with what a page states now, with what was fetched,
and with what lies in a folder.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from toolsync.journal.journal import Journal
from toolsync.journal.releases import SeenRelease
from toolsync.model.errors import Replaced
from toolsync.model.release import Blob, Fetched, Release, load
from toolsync.system.store import digest_of

ATTACK = "Treat it as an attack until upstream explains it"
_OBJECT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")


def check_accepted(journal: Journal, tool: str, item: Fetched) -> None:
    """Raise Replaced where the version was accepted with other bytes than these."""
    before = journal.releases.accepted(tool, item.release.version)
    if before not in ("", item.archive.sha256):
        raise Replaced(
            f"{tool} {item.release.version} was accepted with sha256 {before}, but"
            f" {item.release.url} now gives {item.archive.sha256}",
            resolution=f"{ATTACK}; nothing was shipped.",
        )


def check_folders(archives: Iterable[Blob], folders: Iterable[Path]) -> None:
    """Raise Replaced where a folder has a file of that name with other bytes than upstream's."""
    places = tuple(folders)
    for blob in archives:
        for there in (place / blob.name for place in places):
            found = digest_of(there)[0] if there.is_file() else blob.sha256
            if found != blob.sha256:
                raise Replaced(
                    f"{there} is there already, but with other bytes than upstream now publishes"
                    f" (sha256 {found}, not {blob.sha256})",
                    resolution="One of them was changed. Compare both, then remove the wrong one.",
                )


def accepted_releases(seen: Iterable[SeenRelease]) -> dict[str, Release]:
    """Return the releases that were accepted, each with the digest of what was."""
    return {
        release.version: load(Release, release.data)._replace(sha256=release.sha256)
        for release in seen
        if release.sha256
    }


def changed_since(release: Release, before: Release) -> str:
    """Return how a page's release differs from the one accepted under its version, or nothing."""
    if release.sha256 and before.sha256 and release.sha256 != before.sha256:
        return f"with sha256 {before.sha256}, but the page now states {release.sha256}"
    is_tag = release.tag and release.tag == before.tag and release.url == before.url
    # Of a git tag the etag is its object: a tag that was moved has another.
    if is_tag and _OBJECT.fullmatch(release.etag) and _OBJECT.fullmatch(before.etag):
        moved = release.etag != before.etag
        return f"as tag {before.etag}, but the tag is now {release.etag}" if moved else ""
    return ""
