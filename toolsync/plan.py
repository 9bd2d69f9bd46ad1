"""Decide, without doing anything, where a tool stands and which releases to take."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from toolsync.config import Config
from toolsync.definition import Tool
from toolsync.errors import (
    HELD,
    Held,
    Replaced,
    SetupError,
    ToolsyncError,
    Unreachable,
    Waiting,
)
from toolsync.model import Outcome, Release
from toolsync.records import Decision, PageRow, Result
from toolsync.watch.versions import upstream_key


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


def fitting_series(config: Config, tool: Tool) -> tuple[str, ...]:
    """Return the configured series that a tool can be built for, maybe none."""
    return tuple(name for name in config.series if not tool.series or name in tool.series)


def wanted_series(config: Config, tool: Tool) -> tuple[str, ...]:
    """Return the series to build a tool for; raise SetupError when there is none."""
    series = fitting_series(config, tool)
    if not series:
        raise SetupError(
            f"{tool.name} can be built for {', '.join(tool.series)} only;"
            f" this set-up serves {', '.join(config.series)}",
            resolution=f"Add one of its series to `series` in {config.file}, or leave it out.",
        )
    return series


def candidates(
    releases: Sequence[Release], published: str | None, backlog: int
) -> tuple[Release, ...]:
    """Return the releases to take, oldest first.

    These are the newest published one (its packaging may have changed) and those that are
    newer, but of the latter only the ``backlog`` newest.
    """
    ordered = sorted(releases, key=lambda release: upstream_key(release.version))
    if published is None:
        return tuple(ordered[-backlog:])
    newer = [r for r in ordered if upstream_key(r.version) > upstream_key(published)]
    again = [r for r in ordered if r.version == published]
    return (*again, *newer[-backlog:])


def standing(
    tool: Tool,
    releases: Sequence[Release],
    *,
    current: str | None,
    accepted: Mapping[str, str],
    held: Mapping[str, Result],
    rejected: Mapping[str, Decision],
) -> Outcome:
    """Return where a tool stands after a look that succeeded.

    ``releases`` are newest first; ``accepted`` maps versions to the digests that they were
    first accepted with, ``held`` versions to the result that holds them, ``rejected`` versions
    to a person's decision: what was rejected is no news.
    """
    newest = releases[0]
    base = Outcome(
        tool=tool.name,
        status="up-to-date",
        current=current,
        newest=newest.version,
        url=newest.url,
        message=f"{newest.version} is the newest and is published",
    )
    changed = [r for r in releases if r.sha256 and accepted.get(r.version, r.sha256) != r.sha256]
    if changed:
        return _replaced(base, changed[0], accepted)
    if current is not None and upstream_key(newest.version) < upstream_key(current):
        return replace(
            base,
            status="recalled",
            message=f"{current} is published, but the page now names {newest.version} as newest",
            resolution="Ask upstream why it was withdrawn; nothing was changed.",
            exit_status=HELD,
        )
    offered = next((r for r in releases if r.version not in rejected), None)
    refused = [r.version for r in releases[: releases.index(offered) if offered else None]]
    outcome = _offered(base, offered, current, held, whole=not refused)
    if not refused:
        return outcome
    decision = rejected[refused[0]]
    told = f"{refused[0]} was rejected by {decision.who} on {decision.at}: {decision.reason}"
    message = f"{outcome.message}; {told}"
    return replace(outcome, message=message, rejected=tuple(refused))


def _offered(
    base: Outcome,
    offered: Release | None,
    current: str | None,
    held: Mapping[str, Result],
    *,
    whole: bool,
) -> Outcome:
    """Return where a tool stands by the newest release that nobody has rejected.

    ``whole`` says that it is the newest of all.
    """
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
        return base if whole else replace(base, message=before)
    return replace(base, status="new", message=f"{offered.version} is new; {before}")


def _replaced(base: Outcome, release: Release, accepted: Mapping[str, str]) -> Outcome:
    return replace(
        base,
        status="replaced",
        message=f"{release.version} was accepted with sha256 {accepted[release.version]}, "
        f"but the page now states {release.sha256}",
        resolution="Treat it as an attack until upstream explains it; nothing was changed.",
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
