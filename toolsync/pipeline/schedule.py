"""Say which tools a run should look at: each as often as its own history makes news likely.

A tool is looked at after a tenth of the time that it has been quiet; where its next release
is to be expected (it comes about as often as before), after a tenth of its usual pause. That is
never sooner than an hour, nor later than a week. Sooner than that whatever needs somebody's or
something's next step: a tool never looked at, one that is not up to date, one whose folder or the
settings were changed, or of which a look by hand has seen what no run has told yet. A page that
does not answer is asked again after an hour, later daily.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from statistics import median

from toolsync.config.definition import Tool
from toolsync.journal.journal import Journal
from toolsync.journal.pages import PageRow
from toolsync.journal.runs import RunRow
from toolsync.journal.statuses import LastStatus
from toolsync.model.release import dump
from toolsync.pipeline.ahead import each_ahead
from toolsync.pipeline.context import Context
from toolsync.pipeline.memory import fingerprint
from toolsync.pipeline.outcome import last_standing

SOONEST, LATEST = timedelta(hours=1), timedelta(days=7)
_DAY = timedelta(days=1)
_SLACK = timedelta(minutes=10)
"""What is due within this is due now: timers do not tick to the second."""
_RECENT = 12
"""Releases of which the usual pause is computed."""
_SETTLED = ("up-to-date", "unreachable")


def due(context: Context, tools: Iterable[Tool]) -> tuple[Tool, ...]:
    """Return the tools that should be looked at now, in their order."""
    now, journal = context.clock.now(), context.journal
    settings = _changed((context.config.file,))
    told = journal.statuses.all()
    statuses = {name: last.status for name, last in told.items()}
    last = journal.runs.last_finished()
    return tuple(
        tool
        for near, tool in each_ahead(context, tools)
        if next_look(tool, near.journal, now, statuses=statuses, settings=settings) <= now + _SLACK
        or (last is not None and _was_seen_since(near, tool, last, told.get(tool.name)))
    )


def _was_seen_since(context: Context, tool: Tool, last: RunRow, told: LastStatus | None) -> bool:
    """Say whether somebody has seen since the last run what that did not know: it is news still."""
    row = context.journal.pages.last_look(tool.name)
    if row is None or told is None or row.looked < last.finished:
        return False
    seen = last_standing(context, tool, warn=False)
    return seen is not None and (seen.status, seen.newest or "") != (told.status, told.newest)


def next_look(
    tool: Tool,
    journal: Journal,
    now: datetime,
    *,
    statuses: Mapping[str, str],
    settings: datetime | None = None,
) -> datetime:
    """Return when a tool should be looked at again; a moment in the past means now.

    ``statuses`` are where tools stood after the last run, ``settings`` is when the settings were
    last changed.
    """
    row = journal.pages.last_look(tool.name)
    if row is None or row.definition != fingerprint(dump(tool.watch)):
        return now
    looked = _parsed(row.looked)
    if looked > now:  # the clock was ahead then
        return now
    changes = [m for m in (settings, _changed(_files(tool))) if m is not None]
    if any(change > looked for change in changes) or statuses.get(tool.name) not in _SETTLED:
        return now
    return looked + pause(row, tuple(journal.pages.first_seen(tool.name).values()), now) * _share(
        tool.name
    )


def pause(row: PageRow, firsts: Sequence[str], now: datetime) -> timedelta:
    """Return how long a page may be left alone after a look, see the module's rules.

    ``firsts`` are the moments at which the tool's releases appeared, in any order.
    """
    if row.status != "answered":
        away = now - _parsed(row.answered) if row.answered else _DAY
        return min(max(away / 10, SOONEST), _DAY)
    moments = sorted(filter(None, map(_parsed_or_none, firsts)))[-_RECENT:]
    if not moments:
        return _DAY
    wait = quiet = now - moments[-1]
    gaps = [(after - before).total_seconds() for before, after in pairwise(moments)]
    usual = timedelta(seconds=median(gaps)) if gaps else timedelta(0)
    if quiet < 3 * usual:
        wait = min(quiet, usual)
    return min(max(wait / 10, SOONEST), LATEST)


def _share(name: str) -> float:
    """Return a tool's own factor, 0.9 to 1, so that not all are due at one moment."""
    return 0.9 + hashlib.sha256(name.encode()).digest()[0] / 2560


def _files(tool: Tool) -> Iterable[Path]:
    overlay = (tool.overlay,) if tool.overlay else ()
    return (tool.folder, *tool.folder.rglob("*"), *overlay)


def _changed(paths: Iterable[Path]) -> datetime | None:
    """Return when the youngest of these was changed, None where none is there."""
    times = [path.stat().st_mtime for path in paths if path.exists()]
    return datetime.fromtimestamp(max(times), UTC) if times else None


def _parsed(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _parsed_or_none(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None
