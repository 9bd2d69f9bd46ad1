"""Look at release pages, many at once, and say where each tool stands."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from toolsync.bench import Bench
from toolsync.config import Tool
from toolsync.errors import Bug, ToolsyncError
from toolsync.model import STATUSES, Outcome, dump, load
from toolsync.plan import fitting_series, since, standing, trouble
from toolsync.steps import fingerprint
from toolsync.watch import watchfolder
from toolsync.watch.look import Sighting, look
from toolsync.watch.versions import upstream_key

Look = Sighting | ToolsyncError
"""What a look came to."""


def check(bench: Bench, tools: Sequence[Tool], jobs: int) -> list[Outcome]:
    """Look at every tool's page and return where each stands; change nothing else."""
    looks = look_at_all(bench, tools, jobs)
    return [stand(bench, tool, found) for tool, found in zip(tools, looks, strict=True)]


def published(bench: Bench, tool: Tool) -> str | None:
    """Return the newest version that the target serves on every series of the tool.

    Of a folder with debian/watch it is the version of its changelog.
    """
    if tool.watch.kind == watchfolder.KIND:
        return watchfolder.current(tool)
    series = fitting_series(bench.config, tool)
    served: dict[str, set[str]] = {}
    for upload in bench.journal.uploads(tool.name):
        if upload.target == bench.target.name and upload.state == "confirmed":
            served.setdefault(upload.upstream, set()).add(upload.series)
    complete = [v for v, places in served.items() if series and places.issuperset(series)]
    return max(complete, key=upstream_key, default=None)


def look_at_all(bench: Bench, tools: Sequence[Tool], jobs: int) -> list[Look]:
    """Return what each tool's page gave, in order, and remember it; errors are values here."""
    remembered = [_remembered(bench, tool) for tool in tools]

    def one(tool: Tool, known: Sighting | None) -> Look:
        try:
            return look(tool, http=bench.http, limits=bench.config.limits, remembered=known)
        except ToolsyncError as error:
            return error
        except Exception as error:  # noqa: BLE001 (one tool's trouble must not touch another's)
            return Bug.found(error)

    with ThreadPoolExecutor(max_workers=max(1, min(jobs, len(tools)))) as pool:
        looks = list(pool.map(one, tools, remembered))
    for tool, found in zip(tools, looks, strict=True):
        _remember(bench, tool, found)
    return looks


def _remembered(bench: Bench, tool: Tool) -> Sighting | None:
    row = bench.journal.page(tool.name)
    if row is None or row.definition != fingerprint(dump(tool.watch)) or not row.sighting:
        return None
    try:
        return load(Sighting, row.sighting)
    except (TypeError, ValueError, KeyError):
        return None  # written by another version: look afresh


def _remember(bench: Bench, tool: Tool, found: Look) -> None:
    definition = fingerprint(dump(tool.watch))
    if isinstance(found, ToolsyncError):
        status = in_trouble(bench, tool, found).status
        bench.journal.remember_page(
            *(tool.name, definition, None),
            status=status,
            message=str(found),
            resolution=found.resolution,
            exit_status=found.exit_status,
        )
        return
    bench.journal.remember_page(tool.name, definition, dump(found), status="answered")


def stand(bench: Bench, tool: Tool, found: Look) -> Outcome:
    """Return where a tool stands after this look."""
    if isinstance(found, ToolsyncError):
        return in_trouble(bench, tool, found)
    current = published(bench, tool)
    accepted = {row["version"]: row["sha256"] for row in bench.journal.releases(tool.name)}
    newest = found.releases[0].version
    holds = [r for r in bench.journal.results(tool.name, newest) if r.outcome == "held"]
    return standing(
        tool,
        found.releases,
        current=current,
        accepted={version: digest for version, digest in accepted.items() if digest},
        held={newest: holds[0]} if holds else {},
    )


def last_standing(bench: Bench, tool: Tool) -> Outcome | None:
    """Return where a tool stood at the last look, without asking anybody; None before any."""
    row = bench.journal.page(tool.name)
    if row is None:
        return None
    sighting = _remembered(bench, tool)
    if row.status == "answered" and sighting is not None:
        return stand(bench, tool, sighting)
    outcome = in_trouble(bench, tool, ToolsyncError(row.message, resolution=row.resolution))
    status = row.status if row.status in STATUSES else "error"
    return replace(
        outcome,
        status=status,
        message=row.message + (since(row) if status == "unreachable" else ""),
        exit_status=row.exit_status,
    )


def in_trouble(bench: Bench, tool: Tool, error: ToolsyncError) -> Outcome:
    """Return where a tool stands that could not be looked at or worked on."""
    current = published(bench, tool)
    return trouble(tool, error, current=current, page=bench.journal.page(tool.name))
