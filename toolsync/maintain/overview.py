"""Keep in one place what everybody sees of every tool: status, versions, lag, since when.

A status is computed by `pipeline.outcome.last_standing` alone, as for ``toolsync status``; here it
is kept in the journal's table of states, so that ten thousand of them can be searched, sorted and
paged by one query. Computed anew is what the journal calls stale, what was defined anew, and what
is older than an hour (a cooling time passes, and an archive's files can be damaged).
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from toolsync.config.definition import Tool
from toolsync.config.settings import Config
from toolsync.journal.states import Placed, State
from toolsync.model.errors import SetupError
from toolsync.model.release import Outcome
from toolsync.pipeline.context import Context
from toolsync.pipeline.outcome import last_standing
from toolsync.pipeline.status import faulty
from toolsync.report.lag import lag
from toolsync.report.toolpage import places_of
from toolsync.setup.tools import overlay_of, read_tool, tools_named
from toolsync.system.clock import stamp

_OLD = timedelta(hours=1)
_EACH = 64
"""Rows that are written in one transaction."""

Defined = Tool | SetupError
"""A tool, or what is wrong with its definition."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Followed:
    """A tool that is followed, as its files were read last."""

    place: Path
    """The folder that its own lies in."""
    mark: str
    """Of its files."""
    found: Defined


@dataclass(slots=True)
class Plan:
    """The tools that are followed, read again where their files have changed."""

    _known: dict[str, Followed] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def read(self, config: Config) -> dict[str, Followed]:
        """Return every tool, by name; three files are looked at of each."""
        with self._lock:
            places = tools_named(config)
            for name in self._known.keys() - places.keys():
                del self._known[name]
            return {name: self._read(config, name, place) for name, place in places.items()}

    def size(self) -> int:
        """Return how many tools there were when all were read last."""
        return len(self._known)

    def one(self, config: Config, name: str) -> Followed | None:
        """Return one tool as its files say now, None where there is none of this name."""
        with self._lock:
            known = self._known.get(name)
            if known is not None and (known.place / name / "tool.toml").is_file():
                return self._read(config, name, known.place)
            place = tools_named(config).get(name)
            return None if place is None else self._read(config, name, place)

    def _read(self, config: Config, name: str, place: Path) -> Followed:
        overlay = overlay_of(config, name)
        files = (config.file, place / name / "tool.toml", overlay)
        mark, known = " ".join(map(mark_of, files)), self._known.get(name)
        if known is None or known.mark != mark:
            found = read_tool(place / name, overlay=overlay)
            known = self._known[name] = Followed(place=place, mark=mark, found=found)
        return known


def refresh(context: Context, plan: Plan, *, most: int | None = None) -> None:
    """Bring all states up to date, those of tools that are new or gone too; or ``most`` of them.

    Raises Busy while another process writes.
    """
    states, retired = context.journal.states, context.journal.followed.retired()
    followed = {
        name: one
        for name, one in plan.read(context.config).items()
        if not (isinstance(one.found, Tool) and (one.found.source, "") in retired)
    }
    known, stale = states.marks(), states.stale()
    if gone := (known.keys() | stale.keys()) - followed.keys():
        states.leave_out(gone)
    old = stamp(context.clock.now() - _OLD)
    todo = [
        name
        for name, one in followed.items()
        if name in stale or name not in known or known[name][0] != one.mark or known[name][1] < old
    ]
    todo = todo[:most]
    for start in range(0, len(todo), _EACH):
        _keep(context, {name: followed[name] for name in todo[start : start + _EACH]}, stale)


def refresh_stale(context: Context, plan: Plan, *, most: int) -> int:
    """Bring at ``most`` so many states up to date of which something was written since.

    Returns how many are out of date still. Raises Busy while another process writes.
    """
    stale = context.journal.states.stale()
    known = context.journal.states.marks() if stale else {}
    names = [name for name in stale if name in known]
    found = {name: plan.one(context.config, name) for name in names[:most]}
    if here := {name: one for name, one in found.items() if one is not None}:
        _keep(context, here, stale)
    return max(0, len(names) - most)


def _keep(
    context: Context, tools: Mapping[str, Followed], stale: Mapping[str, tuple[str, int]]
) -> None:
    states = [_state(context, name, one, stale.get(name)) for name, one in tools.items()]
    context.journal.states.keep(states, stale)


def state_of(context: Context, plan: Plan, name: str) -> State | None:
    """Return one tool's state as it is now; None where none has this name."""
    one = plan.one(context.config, name)
    if one is None:
        return None
    return _state(context, name, one, context.journal.states.stale().get(name))


def _state(context: Context, name: str, one: Followed, seen: tuple[str, int] | None) -> State:
    """Return a tool's state as it is now; ``seen`` is when something was written of it last."""
    now, before, found = stamp(context.clock.now()), context.journal.states.get(name), one.found
    if isinstance(found, SetupError):
        outcome: Outcome | None = faulty(name, found)
    else:
        outcome = last_standing(context, found, warn=False)
    uploads = context.journal.uploads.of(name)
    rows = context.journal.publications.of(name)
    status = outcome.status if outcome else ""
    event = (seen[0] if seen else "") or now
    return State(
        tool=name,
        mark=one.mark,
        status=status,
        current=(outcome and outcome.current) or "",
        newest=(outcome and outcome.newest) or "",
        url=(outcome and outcome.url) or "",
        message=outcome.message if outcome else "",
        resolution=outcome.resolution if outcome else "",
        exit_status=outcome.exit_status if outcome else 0,
        since=before.since if before and before.status == status else event,
        holder=next(_holders(context, outcome), ""),
        lag=int(lag(rows[-1].released, rows[-1].at)) if rows else -1,
        summary=found.summary if isinstance(found, Tool) else "",
        area=found.license.area if isinstance(found, Tool) else "",
        places=tuple(
            Placed(target=p.target, series=p.series, version=p.version, since=p.since)
            for p in places_of(uploads, rows)
        ),
        computed=now,
    )


def _holders(context: Context, outcome: Outcome | None) -> Iterator[str]:
    """Yield the stages that hold a tool's newest release."""
    if outcome is not None and outcome.status == "held" and outcome.newest:
        for result in context.journal.results.holds(outcome.tool, outcome.newest):
            yield result.key.stage


def mark_of(path: Path) -> str:
    """Return what is another once a file was written, ``-`` where there is none."""
    try:
        found = path.stat()
    except OSError:
        return "-"
    return f"{found.st_mtime_ns:x}.{found.st_size:x}.{found.st_ino:x}"
