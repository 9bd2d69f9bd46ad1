"""Bring a release from a staging PPA to the one that instances use, when it has proved itself.

It must be published there, have been there for a set time, and its tests must have passed. It
is copied with its binaries: what people tested is what the others get, byte for byte.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from functools import partial

from toolsync.config.definition import Tool
from toolsync.git.place import place_of
from toolsync.journal.key import Key
from toolsync.journal.uploads import Upload
from toolsync.model.errors import Held, ToolsyncError, UsageError, Waiting
from toolsync.model.release import Licensed, Release, load
from toolsync.model.versions import upstream_key
from toolsync.pipeline.context import Context
from toolsync.pipeline.deliver import Delivered, Origin, deliver, make_ready
from toolsync.pipeline.imports import import_published
from toolsync.pipeline.places import side_by_side
from toolsync.pipeline.road import licensed
from toolsync.pipeline.sources import source_for
from toolsync.pipeline.status import wanted_series
from toolsync.pipeline.transparency import publish_log
from toolsync.pipeline.work import Work, work_on
from toolsync.system.clock import parsed, stamp


def take(work: Work, item: Licensed, series: str) -> Delivered:
    """See that the target serves a release for a series, by way of staging where that is wanted.

    Raises what `deliver` raises, and Waiting while a release in staging is not old enough.
    """
    context, tool, first = work.context, work.tool, _first(work)
    staged = deliver(first, item, series)
    if first is work:
        return staged
    staging = first.context.target.name
    check_ripe(context, tool, work.version, series, staging)
    found = deliver(work, item, series, Origin(staging, series))
    away = found.away or staged.away
    return Delivered(found.news or staged.news, away)


def bring_in(work: Work, item: Licensed) -> None:
    """See that the team's repository has a release, where its first target serves it.

    Its trouble is told for itself: what is published, and goes on from staging, waits for no git
    server. Raises as `import_published`.
    """
    first, series = _first(work), wanted_series(work.context.config, work.tool)[0]
    here = (first.context.target.name, work.version, series, "confirmed")
    uploads = work.context.journal.uploads.of(work.tool.name)
    served = any((u.target, u.upstream, u.series, u.state) == here for u in uploads)
    if served and place_of(work.context.config, work.tool) is not None:
        import_published(first, source_for(first, item, series))


def make_all_ready(work: Work, item: Licensed, series: Sequence[str]) -> dict[str, ToolsyncError]:
    """Build a release for several series at once, as far as there are places.

    Returns what keeps it from being taken, by series. Where one thing is done after the other
    nothing is done here, and `take` does it all.
    """
    places, first = work.context.places, _first(work)
    if min(places.tools, places.builds, len(series)) == 1:
        return {}

    def ready(name: str) -> ToolsyncError | None:
        try:
            make_ready(first, item, name)
        except ToolsyncError as error:
            return error
        return None

    found = side_by_side([partial(ready, name) for name in series], places.builds)
    return {name: error for name, error in zip(series, found, strict=True) if error}


def _first(work: Work) -> Work:
    """Return the same release on its way to the first target: staging, where that is wanted."""
    context = work.context
    if work.tool.publish.channel != "staging" or context.staging is None:
        return work
    return replace(work, context=replace(context, target=context.staging))


def promote(
    work: Work, item: Licensed, origin: str, *, untested: bool, early: bool
) -> tuple[str, ...]:
    """Copy a release from the PPA ``origin`` to the context's target; return the series it serves.

    Raises UsageError where it was never published there, Held where no test was run here and
    that is not allowed (``untested``), Waiting while it is too young and that is not (``early``).
    """
    context, tool, version = work.context, work.tool, work.version
    series = [u.series for u in _newest(context, tool, version, origin)]
    if not series:
        raise UsageError(
            f"{tool.name} {version} was never published to {origin} from here",
            resolution=f"Publish it there first: toolsync sync {tool.name} --target {origin}",
        )
    for name in series:
        check_ripe(context, tool, version, name, origin, untested=untested, early=early)
    waiting: list[Waiting] = []
    for name in series:
        try:
            deliver(work, item, name, Origin(origin, name))
        except Waiting as error:
            waiting.append(error)
    if waiting:
        raise Waiting("; also: ".join(map(str, waiting)), resolution=waiting[0].resolution)
    return tuple(series)


def promote_version(
    context: Context, tool: Tool, version: str, origin: str, *, untested: bool, early: bool
) -> tuple[str, ...]:
    """Copy a version that was taken from ``origin`` to the context's target, and log it.

    Raises UsageError for a version that was never taken, and what `promote` raises.
    """
    rows = {row.version: row for row in context.journal.releases.of(tool.name)}
    if version not in rows:
        raise UsageError(
            f"{tool.name} {version} was never taken; there are: {', '.join(rows) or 'none'}",
            resolution=f"See toolsync log {tool.name}.",
        )
    release = load(Release, rows[version].data)
    item, work = licensed(context, tool, release), work_on(context, tool, release)
    done = promote(work, item, origin, untested=untested, early=early)
    publish_log(context)
    return done


def promotable(context: Context, tool: str) -> str:
    """Return the newest version that staging serves and the target does not; empty for none."""
    staging, target = context.config.ppa.staging, context.config.target
    if not staging or staging == target:
        return ""
    served = {
        name: [u.upstream for u in context.journal.uploads.of(tool)
               if (u.target, u.state) == (name, "confirmed")]
        for name in (staging, target)
    }  # fmt: skip
    newest = max(served[staging], key=upstream_key, default="")
    reached = max(map(upstream_key, served[target]), default=None)
    return newest if newest and (reached is None or reached < upstream_key(newest)) else ""


def check_ripe(
    context: Context,
    tool: Tool,
    version: str,
    series: str,
    origin: str,
    *,
    untested: bool = False,
    early: bool = False,
) -> None:
    """Raise Waiting or Held while a release may not be promoted in a series."""
    what = f"{tool.name} {version} in {origin} {series}"
    found = next((u for u in _newest(context, tool, version, origin) if u.series == series), None)
    if found is None or found.state != "confirmed":
        raise Waiting(
            f"{what} is {found.state if found else 'not there'}, wanted: confirmed",
            resolution=f"Bring it there: toolsync sync {tool.name} --target {origin}",
        )
    made = found.detail.get("copy", {}).get("series", series)  # where it was built and tested
    key = Key(tool=tool.name, version=version, stage="build", scope=f"{made}/{found.revision}")
    built = context.journal.results.get(key)
    if not untested and (built is None or built.outcome != "done"):
        raise Held(
            f"{what}: no test of it was run here",
            resolution="Build here ([ppa] build_first = true), or promote it by hand: toolsync"
            f" promote {tool.name} {version} --from {origin} --to {context.target.name} --untested",
        )
    due = parsed(found.since) + timedelta(seconds=tool.publish.promote_after)
    if not early and context.clock.now() < due:
        raise Waiting(
            f"{what} is there since {found.since}; it goes on to {context.target.name} after"
            f" {stamp(due)}",
            resolution="Nothing is to be done; `toolsync promote --early` goes on at once.",
        )


def _newest(context: Context, tool: Tool, version: str, target: str) -> list[Upload]:
    """Return the uploads of a version's newest packaging to a target."""
    uploads = [
        u
        for u in context.journal.uploads.of(tool.name)
        if (u.target, u.upstream) == (target, version)
    ]
    newest = max((u.revision for u in uploads), default=0)
    return [u for u in uploads if u.revision == newest]
