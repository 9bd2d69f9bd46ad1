"""Look at what a release page offers, and which of its tarballs archives vouch for."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from debian.deb822 import Deb822

from toolsync.adopt.packaging import Packaging
from toolsync.build.archives import Archive
from toolsync.config.definition import Tool
from toolsync.model.errors import ToolsyncError
from toolsync.model.release import Release
from toolsync.model.versions import upstream_key
from toolsync.pipeline.context import Context
from toolsync.watch.look import look

_UPSTREAM_ORIG = re.compile(r"_([^_]+)\.orig\.tar\.(?:gz|xz|bz2|zst|lzma)$")


def newest_offered(
    context: Context, tool: Tool, undecided: list[str], tell: Callable[[str], None]
) -> tuple[Release | None, tuple[str, ...]]:
    """Return the newest release that the page offers, and the versions of all that it offers."""
    tell(f"looking at {tool.watch.url}")
    try:
        sighting = look(tool, http=context.http, limits=context.config.limits)
    except ToolsyncError as error:
        undecided.append(f"the release page could not be read: {error}")
        return None, ()
    return sighting.newest, tuple(release.version for release in sighting.releases)


def known_pins(
    name: str, packaging: Packaging, archives: Sequence[Archive], offered: Sequence[str]
) -> dict[str, str]:
    """Return the digests of orig tarballs that archives and the .dsc vouch for, by version."""
    known = [found.files for archive in archives for found in archive.sources(name)]
    if packaging.dsc is not None:
        rows = Deb822(packaging.dsc.read_text(encoding="utf-8", errors="replace"))
        listed = [line.split() for line in rows.get("Checksums-Sha256", "").splitlines()]
        known.append({row[2]: row[0] for row in listed if len(row) == 3})
    pins: dict[str, str] = {}
    for files in known:
        for file, digest in files.items():
            match = _UPSTREAM_ORIG.search(file)
            if match and (match[1] in offered or not offered):
                pins.setdefault(match[1], digest)
    return dict(sorted(pins.items(), key=lambda item: upstream_key(item[0])))
