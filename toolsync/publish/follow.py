"""Derive an upload's status on Launchpad from what its API has answered.

Rejected uploads never appear in the API, so an absence that lasts is all there is to see of
them. Every state that waits has a deadline, after which a person hears of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from toolsync.system.launchpadvalues import Binary, Build, Publication

BUILT = "Successfully built"
FAILED = frozenset(
    {
        "Failed to build",
        "Failed to upload",
        "Chroot problem",
        "Cancelled build",
        "Build for superseded Source",
    }
)
BUSY = frozenset(
    {
        "Needs building",
        "Currently building",
        "Uploading build",
        "Gathering build output",
        "Cancelling build",
        "Dependency wait",
    }
)
GONE = frozenset({"Deleted", "Obsolete"})
SUPERSEDED = "Superseded"


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long each state may last."""

    accept: timedelta
    build: timedelta
    publish: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class UploadStatus:
    """The status of an upload: a state, and what a person should know."""

    state: str
    """``accepted``, ``building``, ``published``, ``superseded``, ``lost``, ``build-failed`` or
    ``stuck``."""
    sentence: str
    resolution: str = ""
    record: dict[str, object] = field(default_factory=dict)
    """Launchpad's own names for it, for the evidence."""


def follow(
    found: Publication,
    builds: Sequence[Build],
    binaries: Sequence[Binary],
    *,
    where: str,
    began: datetime,
    now: datetime,
    patience: Patience,
    newer: str | None = None,
) -> UploadStatus:
    """Return the status of what Launchpad has accepted.

    ``where`` names PPA and series for the sentence, ``began`` is when it was first seen there,
    ``newer`` is the newest version that the series has.
    """
    what, record = f"{found.source} {found.version}", record_of(found, builds, binaries)
    waited = now - began
    if found.status in GONE:
        return UploadStatus(
            state="lost",
            sentence=f"{what} was {found.status.lower()} in {where} by somebody",
            resolution="Its version is burnt. Change something in its debian/, or reject the"
            " release: toolsync then offers no more of it.",
            record=record,
        )
    if found.status == SUPERSEDED:
        return UploadStatus(
            state="superseded",
            sentence=f"{what} was superseded in {where} by {newer or 'a newer one'} before it was"
            " seen served",
            resolution="Nothing is to be done: instances get the newer one.",
            record=record,
        )
    failed = [build for build in builds if build.state in FAILED]
    if failed:
        return UploadStatus(
            state="build-failed",
            sentence=f"{what} did not build in {where}: {_named(failed)}",
            resolution="Read " + " and ".join(b.log or b.link for b in failed) + " . Mend the"
            " tool's debian/, or press Retry there if Launchpad was at fault: the next run looks.",
            record=record,
        )
    undone = [build for build in builds if build.state != BUILT]
    if undone or not (builds or binaries):
        return _building(what, where, undone, waited, patience, record)
    open_ones = [binary for binary in binaries if binary.status == "Pending"]
    if found.status == "Pending" or open_ones or not binaries:
        sentence = f"{what} is built in {where} and waits to be published there"
        return _until("building", sentence, waited, patience.build + patience.publish, record)
    return UploadStatus(
        state="published", sentence=f"{what} is {found.status} in {where}", record=record
    )


def _building(
    what: str,
    where: str,
    undone: Sequence[Build],
    waited: timedelta,
    patience: Patience,
    record: dict[str, object],
) -> UploadStatus:
    if not undone:
        return _until("accepted", f"{what} is accepted in {where}", waited, patience.build, record)
    strange = ", ".join(sorted({build.state for build in undone} - BUSY))
    told = f" (toolsync does not know the state {strange})" if strange else ""
    sentence = f"{what} is building in {where}: {_named(undone)}{told}"
    return _until("building", sentence, waited, patience.build, record)


def _until(
    state: str, sentence: str, waited: timedelta, limit: timedelta, record: dict[str, object]
) -> UploadStatus:
    if waited <= limit:
        return UploadStatus(
            state=state,
            sentence=sentence,
            resolution="Nothing is to be done; the next run looks again.",
            record=record,
        )
    return UploadStatus(
        state="stuck",
        sentence=f"{sentence}, for {in_words(waited)}; wanted: {in_words(limit)} at most",
        resolution="Look at its page on Launchpad; a missing build dependency has to be put into"
        " the PPA, or [ppa] build_hours raised. The next run looks again.",
        record=record,
    )


def record_of(
    found: Publication, builds: Sequence[Build] = (), binaries: Sequence[Binary] = ()
) -> dict[str, object]:
    """Return Launchpad's own names for an upload."""
    return {
        "publication": found.link,
        "status": found.status,
        "published": found.published,
        "builds": [{"arch": b.arch, "state": b.state, "url": b.link} for b in builds],
        "binaries": sorted({f"{b.name} {b.version} {b.arch}: {b.status}" for b in binaries}),
    }


def in_words(span: timedelta) -> str:
    """Return a span of time as people say it."""
    minutes = max(0, int(span.total_seconds() // 60))
    if minutes < 120:
        return f"{minutes} minutes"
    return f"{minutes // 60} hours" if minutes < 4 * 24 * 60 else f"{minutes // 1440} days"


def _named(builds: Sequence[Build]) -> str:
    return ", ".join(f"{build.arch} {build.state}" for build in builds)
