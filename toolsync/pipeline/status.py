"""Decide, without doing anything, where a tool stands and which releases to take."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Protocol

from toolsync.config.definition import Tool
from toolsync.config.settings import Config
from toolsync.journal.decisions import Decision
from toolsync.journal.pages import PageRow
from toolsync.journal.results import Result
from toolsync.model.errors import (
    HELD,
    Held,
    Replaced,
    SetupError,
    ToolsyncError,
    Unreachable,
    Waiting,
)
from toolsync.model.release import Outcome, Release
from toolsync.model.versions import upstream_key
from toolsync.pipeline.accepted import ATTACK, changed_since
from toolsync.pipeline.eligible import Sifted, reason_to_ignore
from toolsync.watch.look import Untaken, in_series, withdrawn


def status_of(error: ToolsyncError, *, looking: bool = False) -> str:
    """Return the status word for an error, met while looking at the page or afterwards."""
    if isinstance(error, Replaced):
        return "replaced"
    if isinstance(error, Unreachable):
        return "unreachable"
    if isinstance(error, Waiting):
        return "new"
    if isinstance(error, Held):
        return "drifted" if looking else "held"
    return "error"


class Planned(Protocol):
    """What the plan says of a tool."""

    @property
    def name(self) -> str:
        """As `Tool.name`."""
        ...

    @property
    def source(self) -> str:
        """As `Tool.source`."""
        ...

    @property
    def series(self) -> tuple[str, ...]:
        """As `Tool.series`."""
        ...


def fitting_series(config: Config, tool: Planned) -> tuple[str, ...]:
    """Return the configured series that a tool can be built for, maybe none."""
    return tuple(name for name in config.series if not tool.series or name in tool.series)


def wanted_series(config: Config, tool: Tool) -> tuple[str, ...]:
    """Return the series to build a tool for; raise SetupError when there is none."""
    series = fitting_series(config, tool)
    if not series:
        raise misfit(config, tool)
    return series


def misfit(config: Config, tool: Tool) -> SetupError:
    """Return what is to be said of a tool that can be built for no configured series."""
    return SetupError(
        f"{tool.name} can be built for {', '.join(tool.series)} only;"
        f" this set-up serves {', '.join(config.series)}",
        resolution=f"Add one of its series to `series` in {config.file}, or leave it out.",
    )


def candidates(
    releases: Sequence[Release], published: str | None, backlog: int, *, ours: bool = True
) -> tuple[Release, ...]:
    """Return the releases to take, oldest first.

    These are the newest published one (its packaging may have changed) and those that are
    newer, but of the latter only the ``backlog`` newest. What others published, which is not
    ``ours``, is taken only where there is nothing newer.
    """
    ordered = sorted(releases, key=lambda release: upstream_key(release.version))
    if published is None:
        return tuple(ordered[-backlog:])
    newer = [r for r in ordered if upstream_key(r.version) > upstream_key(published)]
    again = [r for r in ordered if r.version == published]
    return (*(again if ours or not newer else ()), *newer[-backlog:])


def standing(
    tool: Tool,
    sifted: Sifted,
    *,
    current: str | None,
    accepted: Mapping[str, Release],
    held: Mapping[str, Result],
    rejected: Mapping[str, Decision],
    recalled: str = "",
    replaced: Mapping[str, str] = MappingProxyType({}),
) -> Outcome:
    """Return where a tool stands after a look that succeeded.

    ``accepted`` maps versions to their releases as they were first accepted (with the digest of
    what was accepted), ``held`` versions to the result that holds them, ``rejected`` versions to a
    person's decision: what was rejected is no news. ``recalled`` is the version that the page
    once named as newest and no longer does; ``replaced`` maps versions to how the bytes that
    their addresses give now differ from the accepted ones.
    """
    newest = sifted.listed[0]
    base = Outcome(
        tool=tool.name,
        status="up-to-date",
        current=current,
        newest=newest.version,
        url=newest.url,
        message=f"{newest.version} is the newest and is published",
    )
    for release in sifted.listed if accepted else ():
        told = changed_since(release, accepted.get(release.version, release))
        if told and not reason_to_ignore(tool.watch, release):
            return _replaced(base, tool, release.version, told)
    for version, told in replaced.items():
        if version not in tool.watch.ignore:
            return _replaced(base, tool, version, told)
    if gone := _recall(tool, sifted, current, accepted, recalled):
        return _recalled(base, tool, gone)
    takeable = sifted.takeable
    offered = next((r for r in takeable if r.version not in rejected), None)
    refused = [r.version for r in takeable[: takeable.index(offered) if offered else None]]
    outcome = _offered(base, tool, sifted, offered, held, whole=not refused)
    if not refused:
        return outcome
    decision = rejected[refused[0]]
    told = f"{refused[0]} was rejected by {decision.who} on {decision.at}: {decision.reason}"
    message = f"{outcome.message}; {told}"
    return replace(outcome, message=message, rejected=tuple(refused))


def with_untaken(tool: Tool, outcome: Outcome, untaken: Sequence[Untaken]) -> Outcome:
    """Return an outcome that tells what matched and cannot be taken.

    A tool is not up to date where that would be the newest; ``watch.ignore`` settles it.
    """
    left = [u for u in untaken if not {u.raw, u.version} & tool.watch.ignore.keys()]
    if not left:
        return outcome
    told = [f"{u.raw} ({u.name or 'no file'}) is not taken: {u.why}" for u in left]
    outcome = replace(outcome, warnings=(*outcome.warnings, *told))
    newer = next((text for u, text in zip(left, told, strict=True) if u.newer), "")
    if not newer or outcome.status not in ("up-to-date", "new"):
        return outcome
    message = f"{outcome.message}; it would be newer, but {newer}"
    if outcome.status == "new":
        return replace(outcome, message=message)
    mend = "uversionmangle in debian/watch" if tool.watch.is_folder else "watch.mangle in tool.toml"
    return replace(
        outcome,
        status="held",
        message=message,
        resolution=f"Say what it is with {mend} (a prerelease gets a ~ before its word), or pass"
        " it over with watch.ignore.",
        exit_status=HELD,
    )


def _offered(
    base: Outcome,
    tool: Tool,
    sifted: Sifted,
    offered: Release | None,
    held: Mapping[str, Result],
    *,
    whole: bool,
) -> Outcome:
    """Return where a tool stands by the newest release that may be taken and nobody has rejected.

    ``whole`` says that it is the newest of all that may be taken.
    """
    current = base.current
    before = f"{current} is published" if current else "nothing is published yet"
    if offered is not None and offered.version in held:
        why = held[offered.version]
        return replace(
            base,
            status="held",
            message=f"{offered.version} is held at {why.key.stage}: {why.message}",
            resolution=why.resolution,
            exit_status=HELD,
        )
    older = current and offered and upstream_key(offered.version) <= upstream_key(current)
    if offered is None or older:
        return _waiting(base, tool, sifted) if whole else replace(base, message=before)
    return replace(base, status="new", message=f"{offered.version} is new; {before}")


def _recall(
    tool: Tool,
    sifted: Sifted,
    current: str | None,
    accepted: Mapping[str, Release],
    recalled: str,
) -> str:
    """Return the version that upstream has withdrawn, empty if none."""
    if recalled and recalled not in tool.watch.ignore:
        return recalled
    if current is None or current in tool.watch.ignore or not in_series(current, tool.watch.branch):
        return ""
    if upstream_key(sifted.listed[0].version) >= upstream_key(current):
        return ""
    before = accepted.get(current)
    if tool.watch.rolls and not withdrawn(before.published if before else "", sifted.listed):
        return ""
    return current


def _recalled(base: Outcome, tool: Tool, gone: str) -> Outcome:
    was = "is published" if gone == base.current else "was there before"
    return replace(
        base,
        status="recalled",
        message=f"{gone} {was}, but the page now names {base.newest} as newest",
        resolution="Ask upstream why it was withdrawn; nothing was changed. To go on without it:"
        f' watch.ignore = {{ "{gone}" = "why" }} in {tool.editable}.',
        exit_status=HELD,
    )


def _waiting(base: Outcome, tool: Tool, sifted: Sifted) -> Outcome:
    """Return where a tool stands of which nothing newer may be taken at present."""
    newest, current = sifted.listed[0], base.current
    reason = reason_to_ignore(tool.watch, newest)
    if current == newest.version and not reason:
        return base
    parts = [f"{current} is published" if current else "nothing is published yet"]
    if sifted.young:
        young = sifted.young[0].version
        when = (sifted.ready or {})[young]
        parts.append(f"{young} is taken from {when:%Y-%m-%d %H:%M} UTC on (watch.min_age)")
    if reason:
        parts.append(f"{newest.version} is ignored: {reason}")
    if len(parts) == 1:
        parts.append(f"the newest that the page lists is {newest.version}")
    fresh = current is None and bool(sifted.young)
    return replace(base, status="new" if fresh else "up-to-date", message="; ".join(parts))


def _replaced(base: Outcome, tool: Tool, version: str, told: str) -> Outcome:
    return replace(
        base,
        status="replaced",
        message=f"{version} was accepted {told}",
        resolution=f"{ATTACK}; nothing was changed. To go on with other versions once it is"
        f' explained: watch.ignore = {{ "{version}" = "why" }} in {tool.editable}.',
        exit_status=HELD,
    )


def trouble(
    tool: Tool, error: ToolsyncError, *, current: str | None, page: PageRow | None
) -> Outcome:
    """Return where a tool stands when looking at it failed."""
    return Outcome(
        tool=tool.name,
        status=(status := status_of(error, looking=True)),
        current=current,
        newest=None,
        url=tool.watch.url or None,
        message=str(error) + (since(page) if status == "unreachable" else ""),
        resolution=error.resolution,
        exit_status=error.exit_status,
    )


def since(page: PageRow | None) -> str:
    """Return since when a page has not answered, in brackets."""
    answered = page.answered if page else ""
    return f" (last answer: {answered})" if answered else " (it never answered)"


def faulty(name: str, error: ToolsyncError) -> Outcome:
    """Return where a tool stands whose definition cannot be read."""
    return Outcome(
        tool=name,
        status="error",
        current=None,
        newest=None,
        url=None,
        message=str(error),
        resolution=error.resolution,
        exit_status=error.exit_status,
    )
