"""Say where a tool stands: from a look at its page, or from the last one that is remembered."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import replace

from toolsync.config.definition import Tool
from toolsync.config.series import is_backport
from toolsync.journal.pages import PageRow
from toolsync.journal.results import Result
from toolsync.journal.uploads import Upload
from toolsync.model.errors import ToolsyncError
from toolsync.model.release import STATUSES, Outcome, dump
from toolsync.model.versions import upstream_key
from toolsync.pipeline.accepted import accepted_releases
from toolsync.pipeline.asserved import as_served
from toolsync.pipeline.context import Context
from toolsync.pipeline.eligible import Sifted, sift
from toolsync.pipeline.imports import as_in_git
from toolsync.pipeline.keydates import key_warnings
from toolsync.pipeline.memory import fingerprint
from toolsync.pipeline.origins import replaced
from toolsync.pipeline.review import is_answered, rejected
from toolsync.pipeline.status import fitting_series, misfit, since, standing, trouble, with_untaken
from toolsync.watch import kept
from toolsync.watch.look import Sighting, in_series

Look = Sighting | ToolsyncError
"""What a look came to."""


def stand(context: Context, tool: Tool, found: Look) -> Outcome:
    """Return where a tool stands after this look, with what there is to say of its keys."""
    outcome = _stand(context, tool, found)
    warnings = () if isinstance(found, ToolsyncError) else key_warnings(context, tool)
    if tool.watch.is_folder:
        from toolsync.watchfile import folder  # no other tool needs its parser

        warnings = (*folder.warnings(tool), *warnings)
    return replace(outcome, warnings=(*outcome.warnings, *warnings)) if warnings else outcome


def _stand(context: Context, tool: Tool, found: Look) -> Outcome:
    return as_served(context, tool, as_in_git(context, tool, _by_page(context, tool, found)))


def _by_page(context: Context, tool: Tool, found: Look) -> Outcome:
    if isinstance(found, ToolsyncError):
        return in_trouble(context, tool, found)
    taken = context.journal.releases.of(tool.name)
    current = published(context, tool) if taken or tool.watch.is_folder else None
    accepted = accepted_releases(taken)
    refused = rejected(context.journal, tool.name) if taken else {}
    if refused or tool.watch.ignore or tool.watch.min_age or (taken and tool.watch.rolls):
        found = whole(context, tool, found)
    elif accepted.keys() - {found.newest.version}:
        # the newest, and what was accepted: nothing else of the page counts here
        found = whole(context, tool, found, only=accepted.keys())
    sifted = sifted_of(context, tool, found)
    newest = next((r.version for r in sifted.takeable if r.version not in refused), "")
    known = any(row.version == newest for row in taken)
    outcome = standing(
        tool,
        sifted,
        current=current,
        accepted=accepted,
        held={newest: held} if known and (held := _hold(context, tool, newest)) else {},
        rejected=refused,
        recalled=found.recalled,
        replaced=replaced(context, tool, [row for row in taken if row.sha256]) if accepted else {},
    )
    if outcome.status == "new" and not fitting_series(context.config, tool):
        error = misfit(context.config, tool)
        resolution = f"It is not taken here: {error}. {error.resolution}"
        outcome = replace(outcome, resolution=resolution)
    if told := (*found.told, *found.notes):
        outcome = replace(outcome, warnings=(*outcome.warnings, *told))
    return with_untaken(tool, outcome, found.untaken)


def last_standing(context: Context, tool: Tool, *, warn: bool = True) -> Outcome | None:
    """Return where a tool stood at the last look, without asking anybody; None before any.

    Without ``warn`` nothing is said of its keys, and so the journal is read only.
    """
    row = context.journal.pages.lasting(tool.name)
    if row is None:
        return None
    if (sighting := _last_seen(row, tool)) is not None:
        return (stand if warn else _stand)(context, tool, sighting)
    return as_served(context, tool, _last_trouble(context, tool, row))


def journaled_standing(context: Context, tool: Tool) -> Outcome | None:
    """Return the same as far as it follows from the journal; `as_served` says the rest."""
    row = context.journal.pages.lasting(tool.name)
    if row is None:
        return None
    if (sighting := _last_seen(row, tool)) is not None:
        return as_in_git(context, tool, _by_page(context, tool, sighting))
    return _last_trouble(context, tool, row)


def _last_seen(row: PageRow, tool: Tool) -> Sighting | None:
    """Return what a page gave that answered at the last look."""
    if row.status != "answered":
        return None
    definition = fingerprint(dump(tool.watch))
    # The page's other releases are seldom needed.
    return of_row(row, tool, definition, whole=False, changed=False)


def _last_trouble(context: Context, tool: Tool, row: PageRow) -> Outcome:
    outcome = in_trouble(context, tool, ToolsyncError(row.message, resolution=row.resolution))
    status = row.status if row.status in STATUSES else "error"
    return replace(
        outcome,
        status=status,
        message=row.message + (since(row) if status == "unreachable" else ""),
        exit_status=row.exit_status,
    )


def in_trouble(context: Context, tool: Tool, error: ToolsyncError) -> Outcome:
    """Return where a tool stands that could not be looked at or worked on."""
    current = published(context, tool)
    return trouble(tool, error, current=current, page=context.journal.pages.of(tool.name))


def sifted_of(context: Context, tool: Tool, found: Sighting) -> Sifted:
    """Return the releases of a sighting by what the tool's policy lets become of them."""
    firsts = context.journal.pages.first_seen(tool.name) if tool.watch.min_age else {}
    return sift(tool.watch, found.releases, firsts, context.clock.now)


def _hold(context: Context, tool: Tool, version: str) -> Result | None:
    """Return what holds a release here, unless a person has let it go on since.

    What another target refuses holds nothing at this one.
    """
    here = ("", context.target.name)
    holds = context.journal.results.holds(tool.name, version)
    held = (result for result in holds if result.key.scope.partition("@")[2] in here)
    return next((h for h in held if not is_answered(context.journal, h)), None)


def published(context: Context, tool: Tool) -> str | None:
    """Return the newest version that the target serves on every series of the tool.

    Where one branch is followed, only what is of it counts. Of a folder with debian/watch the
    version of its changelog counts, too; of a backport's packaging what users had before.
    """
    served = _served(context, tool)
    if not tool.watch.is_folder:
        return served
    from toolsync.watchfile import folder  # no other tool needs its parser

    if any(is_backport(tool.origin, series) for series in fitting_series(context.config, tool)):
        base = tool.base("compat") or tool.base("license")
        stated = base[1] if base else None
    else:
        stated = folder.current(tool)
    known = [version for version in (served, stated) if version]
    return max(known, key=upstream_key, default=None)


def is_served(context: Context, tool: Tool, series: str) -> bool:
    """Say whether the target serves any release of a tool for a series."""
    return any(upload.series == series for upload in _confirmed(context, tool))


def _confirmed(context: Context, tool: Tool) -> Iterator[Upload]:
    for upload in context.journal.uploads.of(tool.name):
        if upload.target == context.target.name and upload.state == "confirmed":
            yield upload


def _served(context: Context, tool: Tool) -> str | None:
    """Return the newest version that the target serves on every series of the tool."""
    series = fitting_series(context.config, tool)
    served: dict[str, set[str]] = {}
    for upload in _confirmed(context, tool):
        if _epoch(upload.version) >= tool.epoch:  # what had a lower one is older anyway
            served.setdefault(upload.upstream, set()).add(upload.series)
    complete = [
        v
        for v, places in served.items()
        if series and places.issuperset(series) and in_series(v, tool.watch.branch)
    ]
    return max(complete, key=upstream_key, default=None)


def _epoch(version: str) -> int:
    epoch, colon, _ = version.partition(":")
    return int(epoch) if colon and epoch.isdigit() else 0


def of_row(
    row: PageRow | None,
    tool: Tool,
    definition: str,
    *,
    whole: bool,
    only: Collection[str] = (),
    **other: object,
) -> Sighting | None:
    """Return what was seen last, with its newest releases alone unless ``whole``.

    None where nothing was, or by another ``definition``. ``only`` and ``other`` are as for
    `kept.unpack`.
    """
    if row is None or row.definition != definition or not row.sighting:
        return None
    try:
        return _under_its_name(
            kept.unpack(row.sighting, whole=whole, only=only, **other), tool.name
        )
    except (TypeError, ValueError, KeyError):
        return None  # written by another version: look afresh


def whole(context: Context, tool: Tool, found: Sighting, only: Collection[str] = ()) -> Sighting:
    """Return a sighting with all its releases, also where the page has not changed.

    With ``only`` at least the newest and those of these versions.
    """
    if found.changed:
        return found
    row = context.journal.pages.lasting(tool.name)
    before = of_row(row, tool, fingerprint(dump(tool.watch)), whole=True, only=only)
    return replace(found, releases=before.releases) if before else found


def _under_its_name(found: Sighting, tool: str) -> Sighting:
    """Return a sighting as the tool's own, whose folder may have been renamed since.

    All of its releases are of one tool.
    """
    if not found.releases or found.releases[0].tool == tool:
        return found
    return replace(found, releases=tuple(r._replace(tool=tool) for r in found.releases))
