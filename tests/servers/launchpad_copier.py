"""How the Launchpad that tests run against copies packages: later, and refusing by mail alone."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import partial

from debian.debian_support import Version

from tests.servers.launchpad_archive import FINAL, Ppa, Publication
from tests.servers.launchpad_world import World


class CannotCopy(Exception):
    """Why not."""


def copy_later(
    world: World,
    found: Callable[[], list[Publication]],
    target: Ppa,
    *,
    origin: Ppa,
    series: str,
    include_binaries: bool,
    requester: str,
) -> None:
    """Copy source publications, each into ``series`` or its own, when a copy job's time has come.

    ``found`` is asked then: what was deleted meanwhile is not copied.
    """

    def act() -> None:
        now = world.clock.now()
        for pub in found():
            place = series or pub.series
            try:
                _check(pub, origin, target, place, now, include_binaries=include_binaries)
                _check_binaries(pub, origin, now) if include_binaries else None
            except CannotCopy as error:
                subject = f"[{target.reference}] Failed to copy {pub.name} {pub.version}"
                world.tell(requester, subject, f"{error}\n")
            else:
                _copy(pub, origin, target, place, now, include_binaries=include_binaries)

    world.later(world.pace.copy, act)


def _check(
    pub: Publication,
    origin: Ppa,
    target: Ppa,
    series: str,
    now: datetime,
    *,
    include_binaries: bool,
) -> None:
    same = [p for p in target.versions(pub.name) if p.version == pub.version]
    for name, data in pub.source.files.items():
        if target.known_files().get(name, data) != data:
            raise CannotCopy(
                f"{name} already exists in destination archive with different contents."
            )
    for other in same:
        if origin is not target or other.series != series:
            _check_settled(other, target, now)
    if not include_binaries and any(target.binaries_of(other) for other in same):
        raise CannotCopy("same version already has published binaries in the destination archive")
    if any(p.series == series and p.live for p in same):
        raise CannotCopy(f"same version already published in {series}")
    live = [p.version for p in target.versions(pub.name, series) if p.live]
    newest = max(live, key=Version, default="")
    if newest and Version(pub.version) < Version(newest):
        raise CannotCopy(f"version older than the {pub.name} {newest} published in {series}")


def _check_settled(other: Publication, target: Ppa, now: datetime) -> None:
    """Refuse a copy while the version is under way in another series of the destination."""
    if any(build.state(now) not in FINAL for build in target.builds_of(other)):
        raise CannotCopy(
            f"same version already building in the destination archive for {other.series.title()}"
        )
    if any(b.status == "Pending" for b in target.binaries_of(other)):
        raise CannotCopy(
            "same version has unpublished binaries in the destination archive for"
            f" {other.series.title()}, please wait for them to be published before copying"
        )


def _check_binaries(pub: Publication, origin: Ppa, now: datetime) -> None:
    if any(build.state(now) not in FINAL for build in origin.builds_of(pub)):
        raise CannotCopy("source has builds that have not finished, please wait for them")
    made = origin.binaries_of(pub)
    if not made:
        raise CannotCopy("source has no binaries to be copied")
    if any(b.status == "Pending" for b in made):
        raise CannotCopy(
            "source has unpublished binaries, please wait for them to be published before copying"
        )


def _copy(
    pub: Publication,
    origin: Ppa,
    target: Ppa,
    series: str,
    now: datetime,
    *,
    include_binaries: bool,
) -> None:
    if not include_binaries:
        target.accept(pub.source, series, now).copied_from = origin
        return
    fresh = partial(
        Publication,
        version=pub.version,
        series=series,
        source=pub.source,
        created=now,
        copied_from=origin,
    )
    target.sources.append(fresh(name=pub.name))
    for binary in origin.binaries_of(pub):
        if binary.live:
            target.binaries.append(
                fresh(
                    name=binary.name,
                    arch=binary.arch,
                    specific=binary.specific,
                    build=binary.build,
                )
            )
    target.debs.update(origin.debs)
