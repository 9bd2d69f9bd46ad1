"""Bring a release from a staging PPA to the one that instances use, when it has proved itself.

It must be published there, have been there for a set time, and its tests must have passed. It
is copied with its binaries: what people tested is what the others get, byte for byte.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from toolsync.config.definition import Tool
from toolsync.journal.key import Key
from toolsync.journal.uploads import Upload
from toolsync.model.errors import Held, UsageError, Waiting
from toolsync.model.release import Licensed
from toolsync.pipeline.context import Context
from toolsync.pipeline.deliver import Origin, deliver
from toolsync.pipeline.work import Work
from toolsync.system.clock import parsed, stamp


def take(work: Work, licensed: Licensed, series: str) -> bool:
    """See that the target serves a release for a series, by way of staging where that is wanted.

    Say whether anything was sent. Raises what `deliver` raises, and Waiting while a release
    in staging is not old enough.
    """
    context, tool = work.context, work.tool
    if tool.publish.channel != "staging" or context.staging is None:
        return deliver(work, licensed, series)
    staging = replace(work, context=replace(context, target=context.staging))
    news = deliver(staging, licensed, series)
    check_ripe(context, tool, work.version, series, context.staging.name)
    return deliver(work, licensed, series, Origin(context.staging.name, series)) or news


def promote(
    work: Work, licensed: Licensed, origin: str, *, untested: bool, early: bool
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
            deliver(work, licensed, name, Origin(origin, name))
        except Waiting as error:
            waiting.append(error)
    if waiting:
        raise Waiting("; also: ".join(map(str, waiting)), resolution=waiting[0].resolution)
    return tuple(series)


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
