"""Copy a package with its binaries: to a newer series, or from one PPA to another.

Only for what need not be rebuilt. Launchpad copies later, and tells of a refusal by mail
alone; so a copy is noted and followed as an upload is. It refuses one while the same version
has unpublished binaries in another series of the destination, so one series follows another.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from toolsync.model.errors import SetupError, Waiting
from toolsync.model.release import SourcePackage
from toolsync.publish.target import Ledger
from toolsync.system.clock import stamp
from toolsync.system.launchpad import Launchpad
from toolsync.system.launchpadvalues import Publication


def reference_of(target: str) -> str:
    """Return the API's path of ``ppa:OWNER/NAME``."""
    owner, _, name = target.removeprefix("ppa:").partition("/")
    return f"~{owner}/+archive/ubuntu/{name}"


def may_copy(
    api: Launchpad,
    source: SourcePackage,
    ledger: Ledger,
    history: Sequence[Publication],
    target: str,
    since: datetime,
) -> None:
    """Return when ``source`` can be copied, as the ledger's ``copy`` says.

    ``history`` is what the target ever had of it; what was sent before ``since`` and is not in
    there never will be. Raises Waiting while the origin's source or
    binaries are not published, or the version is on its way in another series, SetupError
    where nobody has logged in.
    """
    copy = ledger.detail["copy"]
    origin, series = reference_of(copy["from"]), copy["series"]
    what = f"{source.name} {source.version}"
    found = [
        pub
        for pub in api.sources(origin, name=source.name, version=source.version)
        if pub.series == series and pub.status == "Published"
    ]
    if not found or any(b.status == "Pending" for b in api.binaries(found[0])):
        raise Waiting(
            f"{what} is copied to {target} {source.series} when it is published in"
            f" {copy['from']} {series}",
            resolution="Nothing is to be done: the next run looks again.",
        )
    asked = {series for series, sent in ledger.elsewhere.items() if sent > since}
    others = {*asked, *_unpublished(api, source, history)} - {source.series}
    if others:
        raise Waiting(
            f"{what} is copied to {target} {source.series} when it is published in"
            f" {', '.join(sorted(others))}: Launchpad copies to one series after the other",
            resolution="Nothing is to be done: the next run looks again.",
        )
    if api.is_anonymous:
        raise SetupError(
            f"to copy {what} to {target} {source.series} needs a login at Launchpad",
            resolution="Log in once: toolsync launchpad login",
        )


def ask_for_copy(
    api: Launchpad, source: SourcePackage, ledger: Ledger, target: str, now: datetime
) -> None:
    """Ask Launchpad to copy ``source``, as the ledger's ``copy`` says: from where, which series."""
    copy = ledger.detail["copy"]
    tries: list[dict[str, object]] = list(ledger.detail.get("tries", []))
    mark = {"at": stamp(now), "host": "copyPackage", "result": "sending", "said": ""}
    ledger.note("claimed", tries=[*tries, mark])
    api.copy(
        source.name,
        source.version,
        origin=reference_of(copy["from"]),
        origin_series=copy["series"],
        target=reference_of(target),
        series=source.series,
        binaries=True,
    )
    ledger.note("sent", tries=[*tries, {**mark, "result": "sent"}])


def _unpublished(
    api: Launchpad, source: SourcePackage, history: Sequence[Publication]
) -> Iterator[str]:
    """Yield the series in which this version has binaries that are not published yet."""
    for found in history:
        alive = found.version == source.version and found.status in ("Pending", "Published")
        if alive and any(binary.status == "Pending" for binary in api.binaries(found)):
            yield found.series
