"""Tell releases that may be taken from those that the tool's policy leaves for now or for good.

``watch.ignore`` names versions that are never taken, with the reason; ``watch.min_age`` lets a
release cool down for some days, in which others may find what is wrong with it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from toolsync.config.definition import Watch
from toolsync.model.release import Release


@dataclass(frozen=True, slots=True, kw_only=True)
class Sifted:
    """The releases of a page, newest first, by what may become of them."""

    listed: tuple[Release, ...]
    """All of them."""
    takeable: tuple[Release, ...]
    ignored: tuple[Release, ...] = ()
    young: tuple[Release, ...] = ()
    ready: Mapping[str, datetime] | None = None
    """When each of ``young`` may be taken, by version."""


def sift(
    watch: Watch,
    releases: Sequence[Release],
    firsts: Mapping[str, str],
    clock: Callable[[], datetime],
) -> Sifted:
    """Part ``releases`` by the tool's policy.

    ``firsts`` tells when a version first appeared (ISO 8601); what is not in it counts from the
    page's date, and without one from now. ``clock`` is asked where time matters.
    """
    listed = tuple(releases)
    ignored = tuple(r for r in listed if reason_to_ignore(watch, r)) if watch.ignore else ()
    left = tuple(r for r in listed if r not in ignored) if ignored else listed
    if not watch.min_age:
        return Sifted(listed=listed, takeable=left, ignored=ignored)
    now = clock()
    ready = {
        r.version: _moment(firsts.get(r.version) or r.published, now) + timedelta(watch.min_age)
        for r in left
    }
    young = tuple(r for r in left if ready[r.version] > now)
    return Sifted(
        listed=listed,
        takeable=tuple(r for r in left if ready[r.version] <= now),
        ignored=ignored,
        young=young,
        ready={r.version: ready[r.version] for r in young},
    )


def reason_to_ignore(watch: Watch, release: Release) -> str:
    """Return why a release is never taken, empty where it may be."""
    spellings = (release.version, release.raw_version, release.tag)
    return next((watch.ignore[name] for name in spellings if name in watch.ignore), "")


def _moment(text: str, now: datetime) -> datetime:
    try:
        return min(datetime.fromisoformat(text).astimezone(UTC), now)
    except ValueError:
        return now
