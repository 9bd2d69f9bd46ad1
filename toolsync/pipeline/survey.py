"""Look at release pages, many at once, and say where each tool stands."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from toolsync.config.definition import Tool
from toolsync.http.answer import Page
from toolsync.journal.pages import Looked
from toolsync.model.errors import ToolsyncError, unforeseen
from toolsync.model.release import Outcome, Release, dump
from toolsync.pipeline.context import Context
from toolsync.pipeline.dispatch import by_workers
from toolsync.pipeline.keydates import upstream_warnings
from toolsync.pipeline.memory import fingerprint
from toolsync.pipeline.origins import Asking
from toolsync.pipeline.outcome import Look, in_trouble, of_row, stand, whole
from toolsync.pipeline.scheduler import Waits, in_turn
from toolsync.system.headers import host_of
from toolsync.system.memory import for_many_pages
from toolsync.watch import kept
from toolsync.watch.kinds import kind_of
from toolsync.watch.look import Sighting, look, rests_on
from toolsync.watch.together import Item, Wanted, gathered

_TOGETHER = 64
"""Looks that are remembered in one transaction: each waits for the disk."""
_COOLING, _HISTORY = 50, 12
"""Versions of which a first day is kept: where they must cool down, and for their history."""


def check(context: Context, tools: Iterable[Tool], jobs: int) -> list[Outcome]:
    """Look at every tool's page and return where each stands; change nothing else.

    Of each look only the outcome stays in memory.
    """
    outcomes: dict[int, Outcome] = {}
    asking = Asking(context)
    for task, found in _looks(context, asking.sample(tools), jobs):
        _see_hints(asking, task.tool, found)
        outcome = stand(context, task.tool, found)
        more = upstream_warnings(context, task.tool)
        outcomes[task.place] = (
            replace(outcome, warnings=(*outcome.warnings, *more)) if more else outcome
        )
    return [outcomes[place] for place in sorted(outcomes)]


def look_at_all(context: Context, tools: Sequence[Tool], jobs: int) -> list[Look]:
    """Return what each tool's page gave, in order, and remember it; errors are values here."""
    looks: dict[int, Look] = {}
    asking = Asking(context)
    asking.sample(tools)
    for task, found in _looks(context, tools, jobs):
        if isinstance(found, Sighting):
            _see_hints(asking, task.tool, found)
            found = whole(context, task.tool, found)
        looks[task.place] = found
    return [looks[place] for place in sorted(looks)]


Packed = Mapping[str, Any] | None
"""A sighting as it is kept; None where nothing is new."""


def _looks(context: Context, tools: Iterable[Tool], jobs: int) -> Iterator[tuple[_Task, Look]]:
    """Give each task and what its page gave, in the order of the answers; remember them all.

    Of a page that has not changed a sighting knows the newest release alone.
    """
    for_many_pages()
    tasks = (_task(context, place, tool) for place, tool in enumerate(tools))
    news: list[Looked] = []
    try:
        for task, (found, packed) in _answers(context, tasks, jobs):
            news.append(_looked(context, task, found, packed))
            if len(news) >= _TOGETHER:
                context.journal.pages.remember(news)
                news.clear()
            yield task, found
    finally:
        context.journal.pages.remember(news)


def _answers(
    context: Context, tasks: Iterable[_Task], jobs: int
) -> Iterator[tuple[_Task, tuple[Look, Packed]]]:
    """Give what workers saw, where there are some, and then what is asked for here."""
    if context.fleet is None:
        yield from _asked_here(context, tasks, jobs)
        return
    left: list[_Task] = []
    for task, found in by_workers(context, tasks):
        if found is None:
            left.append(task)
        else:
            yield task, (found, _packed(found, task.known))
    yield from _asked_here(context, left, jobs)


def _asked_here(
    context: Context, tasks: Iterable[_Task], jobs: int
) -> Iterator[tuple[_Task, tuple[Look, Packed]]]:
    """Ask for pages, many at once; those of one kind together, where that can be done."""

    def items() -> Iterator[Item[_Task]]:
        for task in tasks:
            rests = task.known and rests_on(task.tool, task.known)
            down_to = task.known.newest.tag if task.known and rests else ""
            yield Item(task, Wanted(task.tool, down_to), kind_of(task.tool.watch).together)

    def work() -> Iterator[tuple[str, _Task]]:
        for task, ready in gathered(items(), context.http, context.config.limits):
            yield host_of(task.tool.watch.url), replace(task, ready=ready)

    def act(task: _Task, waits: Waits) -> tuple[Look, Packed]:
        try:
            found = look(
                task.tool,
                http=context.http,
                limits=context.config.limits,
                remembered=task.known,
                waits=waits,
                whole=task.whole,
                ready=task.ready,
            )
            return found, _packed(found, task.known)
        except ToolsyncError as error:
            return error, None
        except Exception as error:  # noqa: BLE001 (one tool's trouble must not touch another's)
            return unforeseen(error), None

    yield from in_turn(
        work(), act, jobs=jobs, per_host=context.config.per_host, clock=context.clock
    )


def _packed(found: Sighting, known: Sighting | None) -> Packed:
    return None if _is_known(found, known) else kept.pack(found)


def _see_hints(asking: Asking, tool: Tool, found: Look) -> None:
    """Read accepted files again of which a page that has changed speaks otherwise than before."""
    if isinstance(found, Sighting) and found.changed:
        asking.hinted(tool, found)


@dataclass(frozen=True, slots=True)
class _Task:
    place: int
    """Among all that are looked at."""
    tool: Tool
    definition: str
    known: Sighting | None
    """With its newest release alone."""
    whole: Callable[[], tuple[Release, ...]] | None = None
    """Returns all that are known, for pages that tell the latest alone."""
    ready: Callable[[], Page] | None = None
    """Returns its page, where that is asked for together with others'."""


def _is_known(found: Sighting, known: Sighting | None) -> bool:
    return known is not None and not found.changed and found.releases == known.releases


def _task(context: Context, place: int, tool: Tool) -> _Task:
    definition = fingerprint(dump(tool.watch))
    row = context.journal.pages.of(tool.name)
    known = of_row(row, tool, definition, whole=False)
    together = kind_of(tool.watch).together

    def releases() -> tuple[Release, ...]:
        found = of_row(row, tool, definition, whole=True)
        return found.releases if found else ()

    return _Task(place, tool, definition, known, releases if known and together else None)


def _looked(context: Context, task: _Task, found: Look, packed: Packed) -> Looked:
    if not isinstance(found, ToolsyncError):
        return Looked(
            tool=task.tool.name,
            definition=task.definition,
            sighting=packed,
            answered=True,
            status="answered",
            named=_named(task.tool, found) if packed else (),
        )
    return Looked(
        tool=task.tool.name,
        definition=task.definition,
        sighting=None,
        answered=False,
        status=in_trouble(context, task.tool, found).status,
        message=str(found),
        resolution=found.resolution,
        exit_status=found.exit_status,
    )


def _named(tool: Tool, found: Sighting) -> tuple[tuple[str, str], ...]:
    """Return the newest versions whose first day is worth keeping: for `due`, and for min_age."""
    dated = bool(found.newest.published)
    count = _COOLING if tool.watch.min_age else _HISTORY if dated else 1
    return tuple((release.version, release.published) for release in found.releases[:count])
