"""Look at a tool's release page and say what it offers, newest first.

A look changes nothing. What it saw comes back as a `Sighting`, which the next look takes so
that an unchanged page costs one conditional request. An upstream that could not be reached
raises Unreachable and is never taken for an unchanged one.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from toolsync.config.definition import Tool, Watch
from toolsync.config.settings import Limits
from toolsync.http.answer import NotChanged, Page, Validators
from toolsync.http.client import Http
from toolsync.model.engine import LOOK_SECONDS
from toolsync.model.errors import Drifted
from toolsync.model.release import Release
from toolsync.model.versions import Key, upstream_key
from toolsync.model.words import changed_scheme
from toolsync.system.effort import Effort
from toolsync.watch.kinds import kind_of
from toolsync.watch.named import named_by
from toolsync.watch.pages import Pages
from toolsync.watch.reading import LOOK, without_misplaced

_FORM, _FORM_BEFORE = "4", "3"
"""Raised when readers come to read more out of the same page, which is then asked for anew."""

_TOLD = 5
"""Of what matched and cannot be taken."""
_MANY = 8
"""Files of which so many must have been there that the loss of half of them tells something."""

_PREFERENCE = (".tar.xz", ".tar.bz2", ".tar.gz", ".tgz", ".tar.zst", ".tar", ".zip")
"""Of one version's files: those that dpkg-source takes untouched go first, the smaller before
the larger; then what must be repacked, tars before zips, which keep no owners and modes."""


class Untaken(NamedTuple):
    """A file or tag that matched, and cannot be taken."""

    raw: str
    """Its version as it is written."""
    name: str
    """The file's or the tag's."""
    version: str
    """Where it would probably stand in Debian's order; empty if nobody knows."""
    why: str
    newer: bool
    """Whether it would be, or may be, newer than all that can be taken."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighting:
    """What a release page offered at one moment; `model.dump` and `model.load` keep it."""

    releases: tuple[Release, ...]
    """Newest first in Debian's order, one per version."""
    page: str
    """The page's address."""
    etag: str = ""
    last_modified: str = ""
    page_sha256: str = ""
    """Digest over all pages that were read."""
    pages: int = 1
    matched: int = 0
    """Files or tags that matched, before any were left out."""
    yanked: int = 0
    """How many of them upstream has withdrawn."""
    prereleases: int = 0
    """How many of them were left out as prereleases."""
    recalled: str = ""
    """A version that the page once named as newest and withdrew; kept until it, or a newer one, is
    there."""
    untaken: tuple[Untaken, ...] = ()
    """What matched and cannot be taken, the newest first, and no more than a few."""
    watch: str = ""
    """Digest of the [watch] section that it was seen with."""
    told: tuple[str, ...] = ()
    """What a person should know of the listing, such as that it was cut."""
    vouched: bool = False
    """Whether an unchanged first page tells that there is nothing new at all."""
    notes: tuple[str, ...] = ()
    """What a person should know of this look alone; it is not kept."""
    changed: bool = True
    """Whether the page differs from the remembered one."""

    @property
    def newest(self) -> Release:
        """The newest release; a sighting always has one."""
        return self.releases[0]


def look(
    tool: Tool,
    *,
    http: Http,
    limits: Limits,
    remembered: Sighting | None = None,
    waits: Callable[[bool], None] = lambda _: None,
    whole: Callable[[], Sequence[Release]] | None = None,
    ready: Callable[[], Page] | None = None,
) -> Sighting:
    """Return what the tool's release page offers.

    ``whole`` returns all releases of ``remembered``, if that does not hold them; ``ready`` the
    first page, where it was asked for together with others'. ``waits`` hears False when a page has
    come and is read, True when another one is asked for.
    Raises Drifted when the page cannot be understood or names nothing that may be taken,
    Hostile when it is too much, and what ``http`` raises.
    """
    digest = _digest(tool.watch)
    known = remembered if remembered and _asked_alike(tool.watch, remembered, digest) else None
    client = http.dressed(user_agent=tool.watch.user_agent, named=lambda: named_by(tool))
    before = (whole or (lambda: known.releases)) if known and rests_on(tool, known) else None
    pages = Pages(client, limits, _conditions(known, digest), waits, known=before, ready=ready)
    try:
        with pages, Effort(LOOK_SECONDS):
            kind = kind_of(tool.watch)
            found = without_misplaced(kind.read(tool, pages), local=kind.orders)
    except NotChanged:
        assert known is not None
        return replace(known, changed=False, notes=tuple(pages.notes))
    try:
        refused = [release for release in found if release.refused]
        found = [release for release in found if not release.refused] if refused else found
        kept = _choose(tool, found)
    except Drifted:
        if known is None or not tool.watch.rolls:
            raise
        # Only others are among the latest at present.
        return replace(known, changed=False, notes=tuple(pages.notes))
    _check_count(tool.watch, known, kept, len(found))
    sighting = replace(
        _listed(pages, tool, kept, found),
        recalled=_recalled(tool.watch, known, kept, len(found)),
        untaken=(*_of_another_scheme(kept), *_untaken(tool.watch, refused, kept[0])),
        watch=digest,
    )
    # What was read without a page, as git's own protocols are, has no digest to compare.
    same = (
        known is not None
        and known.watch == digest
        and pages.count
        and known.page_sha256 == sighting.page_sha256
    )
    return replace(sighting, changed=not same)


def _listed(
    pages: Pages, tool: Tool, kept: tuple[Release, ...], found: Sequence[Release]
) -> Sighting:
    """Return what a listing is by itself, beside nothing that was seen before."""
    return Sighting(
        releases=kept,
        page=pages.address,
        etag=pages.validators.etag,
        last_modified=pages.validators.last_modified,
        page_sha256=pages.hasher.hexdigest(),
        pages=pages.count,
        matched=len(found),
        yanked=len([r for r in found if r.yanked]),
        prereleases=0 if tool.watch.prereleases else len([r for r in found if r.prerelease]),
        told=tuple(pages.told),
        notes=tuple(pages.notes),
        vouched=pages.vouched,
    )


def rests_on(tool: Tool, known: Sighting) -> bool:
    """Say whether a new listing need only tell what came after the newest that is known.

    What could not be taken is not among the releases, so where there was any all is read again.
    """
    return known.vouched and not known.untaken and known.watch == _digest(tool.watch)


def _conditions(known: Sighting | None, digest: str) -> Validators | None:
    """Return what vouches for the remembered page; of several pages only a reader knows.

    Nothing does anything of a page that an older version has read, and with less sense.
    """
    if (
        known is None
        or known.watch != digest
        or not (known.pages == 1 or known.vouched)
        or not (known.etag or known.last_modified)
    ):
        return None
    return Validators(etag=known.etag, last_modified=known.last_modified, size=known.newest.size)


def _choose(tool: Tool, found: Iterable[Release]) -> tuple[Release, ...]:
    """Return one release per version, newest first, without what must not be taken."""
    best: dict[Key, Release] = {}
    found = list(found)
    series = tool.watch.branch
    for release in found:
        if release.yanked or (release.prerelease and not tool.watch.prereleases):
            continue
        if series and not in_series(release.version, series):
            continue
        key = upstream_key(release.version)
        if key not in best or _rank(release) < _rank(best[key]):
            best[key] = release
    if not best:
        names = ", ".join(sorted({r.raw_version[:40] for r in found})[:5])
        other = f", or not of the series {series}" if series else ""
        raise Drifted(
            f"{found[0].page} names {len(found)} files or tags that match ({names}), but each is "
            f"a prerelease or withdrawn{other}; a release was wanted",
            resolution=f"Wait for a release, or set watch.prereleases = true. {LOOK}",
        )
    return tuple(best[key] for key in sorted(best, reverse=True))


def _of_another_scheme(kept: Sequence[Release]) -> Iterator[Untaken]:
    """Yield the release that appeared last, where it sorts below the newest by another scheme."""
    newest = kept[0]
    if not newest.published:
        return
    last = max(kept, key=lambda release: release.published)
    rule = changed_scheme(newest.version, last.version)
    if rule and last.published > newest.published:
        yield Untaken(
            raw=last.raw_version[:200],
            name=last.filename or last.tag,
            version=last.version,
            why=f"it appeared on {last.published[:10]}, after {newest.version}"
            f" ({newest.published[:10]}), but sorts before it. If upstream has changed its scheme,"
            f" {rule} puts the old one below; where that is published, epoch, too",
            newer=True,
        )


def _untaken(watch: Watch, refused: Sequence[Release], newest: Release) -> tuple[Untaken, ...]:
    """Return what could not be taken, the newest first; of what is certainly older, a few."""
    top = upstream_key(newest.version)
    found = [
        Untaken(
            raw=release.raw_version[:200],
            name=release.filename or release.tag,
            version=release.version,
            why=release.refused,
            newer=bool(release.version) and upstream_key(release.version) > top,
        )
        for release in refused
        if in_series(release.version, watch.branch)
    ]
    order = sorted(dict.fromkeys(found), key=lambda u: upstream_key(u.version), reverse=True)
    return tuple(order[:_TOLD])


def in_series(version: str, series: str) -> bool:
    """Say whether a version is of a series: 1.5, 1.5.1 and 1.5~rc1 are of 1.5, 1.50 is not."""
    rest = version.removeprefix(series)
    apart = not (series[-1:].isdigit() and rest[:1].isdigit())
    return not series or (version.startswith(series) and apart)


def _rank(release: Release) -> tuple[int, bool, str, str]:
    name = release.filename.lower()
    place = next((i for i, end in enumerate(_PREFERENCE) if name.endswith(end)), len(_PREFERENCE))
    return place, not release.sha256, release.filename, release.url


def _check_count(
    watch: Watch, known: Sighting | None, kept: tuple[Release, ...], matched: int
) -> None:
    """Raise Drifted where far fewer files match than before, and nothing newer is among them.

    An upstream that tidies up does so when it releases, or leaves more than half.
    """
    if known is None or watch.rolls or known.matched < _MANY or matched * 2 >= known.matched:
        return
    if upstream_key(kept[0].version) > upstream_key(known.newest.version):
        return
    raise Drifted(
        f"{kept[0].page} names {matched} files or tags that match, but {known.matched} before, and"
        " none is newer: it was changed, or only a part of it came",
        resolution=f'{LOOK} If upstream has rightly removed them: watch.lists = "latest".',
    )


def _recalled(watch: Watch, before: Sighting | None, now: tuple[Release, ...], matched: int) -> str:
    """Return the version that was newest and was withdrawn since, or nothing.

    Where old releases leave the page as new ones come, one is withdrawn only if an older one is
    still there; without dates, if there are fewer than before.
    """
    if before is None:
        return ""
    newest = upstream_key(now[0].version)
    if before.recalled and newest < upstream_key(before.recalled):
        return before.recalled
    gone = before.newest
    if newest >= upstream_key(gone.version):
        return ""
    if watch.rolls and not withdrawn(gone.published, now, fewer=matched < before.matched):
        return ""
    return gone.version


def withdrawn(published: str, now: Iterable[Release], *, fewer: bool = False) -> bool:
    """Say whether a release that has left a list of the latest should still be there.

    ``published`` is its date; without one it counts whether there are ``fewer`` than before.
    """
    dates = [release.published for release in now if release.published]
    return any(date < published for date in dates) if published and dates else fewer


def _asked_alike(watch: Watch, remembered: Sighting, digest: str) -> bool:
    """Say whether a sighting was remembered for what a watch policy asks now."""
    return remembered.watch == digest or remembered.watch == _digest(watch, _FORM_BEFORE)


def seen_with(watch: Watch) -> str:
    """Return what stands in a sighting's ``watch`` where it was seen by a definition's [watch]."""
    return _digest(watch)


def _digest(watch: Watch, form: str = _FORM) -> str:
    """Return what a remembered sighting depends on besides the page."""
    return hashlib.sha256(f"{form} {watch!r}".encode()).hexdigest()
