"""Compare what is said to be published with what a target on our own disk serves.

The journal knows what was published; the archive's files may be damaged or gone since. Where
they are, no tool of theirs is up-to-date.
"""

from __future__ import annotations

from dataclasses import replace
from typing import cast

from toolsync.model.errors import ToolsyncError
from toolsync.model.release import Outcome
from toolsync.pipeline.context import Context
from toolsync.pipeline.status import Planned
from toolsync.publish.target import Inspectable, Target


def as_served(context: Context, tool: Planned, outcome: Outcome) -> Outcome:
    """Return where a tool stands when that is looked at, too; by files, nobody is asked."""
    if outcome.current is None:
        return outcome
    if (target := _inspectable(context.target)) is None:
        return outcome
    try:
        with context.places.at_targets():  # who is publishing changes what is looked at
            error = target.fault_of(tool.source)
            gone = [] if error else _vanished(context, tool, target, outcome.current)
    except ToolsyncError:
        return outcome  # a key or a set-up that is wrong: who signs says so, and doctor
    if error:
        return replace(
            outcome,
            status="error",
            message=f"{outcome.current} is published, but {error}",
            resolution=error.resolution,
            exit_status=error.exit_status,
        )
    if gone and outcome.status == "up-to-date":
        return replace(
            outcome,
            status="new",
            message=f"{outcome.current} was published for {', '.join(gone)}, and {target.name} does"
            " not serve it any longer",
            resolution=f"toolsync sync {tool.name} publishes it again.",
        )
    return outcome


_KINDS: dict[type, bool] = {}
"""Whether targets of a class can be looked at: to find out takes 10 µs, and each tool asks."""


def _inspectable(target: Target) -> Inspectable | None:
    """Return the target where its files can be looked at."""
    kind = type(target)
    if kind not in _KINDS:
        _KINDS[kind] = isinstance(target, Inspectable)
    return cast(Inspectable, target) if _KINDS[kind] else None


def _vanished(context: Context, tool: Planned, target: Inspectable, version: str) -> list[str]:
    """Return the series for which a version was confirmed and nothing like it is served."""
    uploads = (
        upload
        for upload in context.journal.uploads.of(tool.name)
        if (upload.target, upload.state) == (target.name, "confirmed")
    )
    return sorted(
        upload.series
        for upload in uploads
        if upload.upstream == version and not target.offers(upload.source, upload.series)
    )
