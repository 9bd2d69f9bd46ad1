"""Tasks of the kind look: look at a share of the release pages.

A worker holds no journal, so what is remembered of a page comes with the question. What it saw is
read as hostile and then taken as a look of our own would be: whatever a page names is proved by
other gates before anybody gets it. A page of which a worker saw nothing is looked at here.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

from toolsync.config.definition import CompatPolicy, Tool, Verify, Watch
from toolsync.config.licensing import LicensePolicy
from toolsync.fleet.checks import read_value, require_names
from toolsync.fleet.kind import FORM, Kind, Machine
from toolsync.model.errors import Hostile, SetupError, ToolsyncError
from toolsync.model.release import Release
from toolsync.model.values import field_names
from toolsync.model.versions import upstream_key
from toolsync.watch.kinds import KINDS as PAGES
from toolsync.watch.look import Sighting, look, seen_with

SHARE = 8
"""Pages in one task: a worker asks for them at the same time."""
_MOST_RELEASES = 50_000
_MOST_LINES = 50
_TEXT = 8192
"""Characters of an address or a sentence."""
_PLAIN = re.compile(r"[^\x00-\x1f\x7f]*")
_ADDRESS = re.compile(r"(?:https?|ftp)://[^\x00-\x20\x7f]+")
_VERSION = re.compile(r"[A-Za-z0-9][A-Za-z0-9.+~:-]{0,199}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """One page to be looked at."""

    tool: str
    watch: Watch
    verify: Verify
    epoch: int
    known: Sighting | None
    """What is remembered of it, with its newest release alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LookAsked:
    """A share of the pages."""

    pages: tuple[Watched, ...]
    form: int = FORM


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What a worker saw on one page; nothing, where it could not look at it."""

    tool: str
    sighting: Sighting | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LookSeen:
    """What a worker saw, in the order of the pages."""

    seen: tuple[Seen, ...]


def can_be_shared(watch: Watch) -> bool:
    """Say whether a worker can look at a page: it has no folder, no secret and no set-up of ours.

    The page's kind is one that is shipped and asked for alone, at an address without a password.
    """
    kind = PAGES.get(watch.kind)
    host = watch.url.partition("://")[2].partition("/")[0]
    return (
        kind is not None
        and watch.record in (None, kind)
        and not kind.together
        and not watch.is_folder
        and bool(_ADDRESS.fullmatch(watch.url))
        and "@" not in host
    )


def _read(data: object) -> LookAsked:
    asked = read_value(LookAsked, data, "a task")
    if asked.form != FORM or not 0 < len(asked.pages) <= SHARE:
        raise Hostile(f"a task of form {asked.form} and {len(asked.pages)} pages")
    for page in asked.pages:
        require_names(page.tool)
        if not can_be_shared(page.watch):
            raise Hostile(f"the page of {page.tool}, which no worker can look at")
    return asked


def _do(asked: LookAsked, machine: Machine) -> LookSeen:
    if machine.http is None:
        raise SetupError("this worker has no way to the network")
    with ThreadPoolExecutor(SHARE) as pool:
        return LookSeen(seen=tuple(pool.map(lambda page: _seen(page, machine), asked.pages)))


def _seen(page: Watched, machine: Machine) -> Seen:
    assert machine.http is not None
    limits = machine.config.limits
    try:
        found = look(_tool(page), http=machine.http, limits=limits, remembered=page.known)
    except (ToolsyncError, ValueError, TypeError, LookupError):
        return Seen(tool=page.tool, sighting=None)  # the coordinator looks itself, and says why
    if page.known is not None and not found.changed:
        found = replace(page.known, changed=False, notes=found.notes)
    return Seen(tool=page.tool, sighting=found)


def _tool(page: Watched) -> Tool:
    """Return as much of a definition as a look needs."""
    return Tool(
        name=page.tool,
        folder=Path("/nonexistent"),
        summary="",
        homepage="",
        watch=page.watch,
        verify=page.verify,
        license=LicensePolicy(),
        compat=CompatPolicy(),
        source=page.tool,
        series=(),
        epoch=page.epoch,
    )


def judged(asked: LookAsked, data: object, *_: object) -> tuple[Sighting | None, ...]:
    """Return what was seen of each page, None where nothing was; raises Hostile for a lie."""
    seen = read_value(LookSeen, data, "something seen").seen
    if [one.tool for one in seen] != [page.tool for page in asked.pages]:
        raise Hostile(f"something seen of {len(seen)} other pages than were asked for")
    return tuple(
        None if one.sighting is None else _required(page, one.sighting)
        for page, one in zip(asked.pages, seen, strict=True)
    )


def _required(page: Watched, found: Sighting) -> Sighting:
    """Return a sighting that a look at this page can give; raises Hostile for any other."""
    if not found.changed:
        if page.known is None:
            raise Hostile(f"a page of {page.tool} that is as before, when there was none")
        return replace(page.known, changed=False, notes=_lines(found.notes))
    if found.watch != seen_with(page.watch):
        raise Hostile(f"a page of {page.tool} that was looked at by other rules")
    if not 0 < len(found.releases) <= _MOST_RELEASES:
        raise Hostile(f"a page of {page.tool} with {len(found.releases)} releases")
    for release in found.releases:
        _require_release(page.tool, release)
    keys = [upstream_key(release.version) for release in found.releases]
    if any(later >= earlier for earlier, later in pairwise(keys)):
        raise Hostile(f"releases of {page.tool} that are not in order, or there twice")
    if len(found.untaken) > _MOST_LINES or min(found.pages, found.matched, found.yanked) < 0:
        raise Hostile(f"a page of {page.tool} with numbers that none has")
    _lines([*found.told, *found.notes])
    texts = [text for one in found.untaken for text in (one.raw, one.name, one.version, one.why)]
    _require_plain([found.page, found.etag, found.last_modified, found.page_sha256, *texts])
    _require_plain([found.recalled])
    return found


def _require_release(tool: str, release: Release) -> None:
    own = [getattr(release, name) for name in field_names(Release) if name != "parts"]
    _require_plain([text for text in own if isinstance(text, str)])
    if release.tool != tool or release.parts or release.refused:
        raise Hostile(f"a release of {release.tool[:70]} on the page of {tool}")
    if not _VERSION.fullmatch(release.version) or "/" in release.filename:
        raise Hostile(f"the version {release.version[:70]!r} in {release.filename[:70]!r}")
    if release.url and not _ADDRESS.fullmatch(release.url):
        raise Hostile(f"the address {release.url[:70]!r}")
    if release.size is not None and release.size < 0:
        raise Hostile(f"a file of {release.size} bytes")


def _lines(lines: Sequence[str]) -> tuple[str, ...]:
    if len(lines) > _MOST_LINES:
        raise Hostile(f"{len(lines)} sentences of one page")
    _require_plain(lines)
    return tuple(lines)


def _require_plain(texts: Sequence[str]) -> None:
    for text in texts:
        if len(text) > _TEXT or not _PLAIN.fullmatch(text):
            raise Hostile(f"the text {text[:70]!r}, which no page's reader gives")


LOOK = Kind(
    name="look",
    about=lambda asked: f"{len(asked.pages)} pages, {asked.pages[0].tool} the first",
    queue=lambda _asked: "look",
    queues=lambda _config: ("look",),
    read=_read,
    do=_do,
    judge=judged,
    here=True,
    seconds=15 * 60,
    once=True,
    most=32 * 1024 * 1024,
)
