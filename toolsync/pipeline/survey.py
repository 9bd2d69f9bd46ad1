"""Look at release pages, many at once, and say where each tool stands."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from toolsync.config.definition import Tool
from toolsync.config.series import is_later
from toolsync.http.answer import Page
from toolsync.journal.pages import Looked, PageRow
from toolsync.journal.results import Result
from toolsync.journal.uploads import Upload
from toolsync.model.errors import ToolsyncError, unforeseen
from toolsync.model.release import STATUSES, Outcome, Release, dump
from toolsync.model.versions import upstream_key
from toolsync.pipeline.accepted import accepted_releases
from toolsync.pipeline.asserved import as_served
from toolsync.pipeline.context import Context
from toolsync.pipeline.dispatch import by_workers
from toolsync.pipeline.eligible import Sifted, sift
from toolsync.pipeline.imports import as_in_git
from toolsync.pipeline.keydates import key_warnings, upstream_warnings
from toolsync.pipeline.memory import fingerprint
from toolsync.pipeline.origins import Asking, replaced
from toolsync.pipeline.review import is_answered, rejected
from toolsync.pipeline.scheduler import Waits, in_turn
from toolsync.pipeline.status import fitting_series, misfit, since, standing, trouble, with_untaken
from toolsync.system.headers import host_of
from toolsync.system.memory import for_many_pages
from toolsync.watch import kept
from toolsync.watch.kinds import kind_of
from toolsync.watch.look import Sighting, in_series, look, rests_on
from toolsync.watch.together import Item, Wanted, gathered

Look = Sighting | ToolsyncError
"""What a look came to."""

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


def published(context: Context, tool: Tool) -> str | None:
    """Return the newest version that the target serves on every series of the tool.

    Where one branch is followed, only what is of it counts. Of a folder with debian/watch the
    version of its changelog counts, too; of packaging from a later series than it is built for what
    users had before.
    """
    served = _served(context, tool)
    if not tool.watch.is_folder:
        return served
    from toolsync.watchfile import folder  # no other tool needs its parser

    if any(is_later(tool.origin, series) for series in fitting_series(context.config, tool)):
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


def look_at_all(context: Context, tools: Sequence[Tool], jobs: int) -> list[Look]:
    """Return what each tool's page gave, in order, and remember it; errors are values here."""
    looks: dict[int, Look] = {}
    asking = Asking(context)
    asking.sample(tools)
    for task, found in _looks(context, tools, jobs):
        if isinstance(found, Sighting):
            _see_hints(asking, task.tool, found)
            found = _whole(context, task.tool, found)
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


def _under_its_name(found: Sighting, tool: str) -> Sighting:
    """Return a sighting as the tool's own, whose folder may have been renamed since.

    All of its releases are of one tool.
    """
    if not found.releases or found.releases[0].tool == tool:
        return found
    return replace(found, releases=tuple(r._replace(tool=tool) for r in found.releases))


def _task(context: Context, place: int, tool: Tool) -> _Task:
    definition = fingerprint(dump(tool.watch))
    row = context.journal.pages.of(tool.name)
    known = _of_row(row, tool, definition, whole=False)
    together = kind_of(tool.watch).together

    def whole() -> tuple[Release, ...]:
        found = _of_row(row, tool, definition, whole=True)
        return found.releases if found else ()

    return _Task(place, tool, definition, known, whole if known and together else None)


def _remembered(context: Context, tool: Tool, definition: str, *, whole: bool) -> Sighting | None:
    return _of_row(context.journal.pages.of(tool.name), tool, definition, whole=whole)


def _of_row(row: PageRow | None, tool: Tool, definition: str, *, whole: bool) -> Sighting | None:
    if row is None or row.definition != definition or not row.sighting:
        return None
    try:
        return _under_its_name(kept.unpack(row.sighting, whole=whole), tool.name)
    except (TypeError, ValueError, KeyError):
        return None  # written by another version: look afresh


def _whole(context: Context, tool: Tool, found: Sighting) -> Sighting:
    """Return a sighting with all its releases, also where the page has not changed."""
    if found.changed:
        return found
    before = _remembered(context, tool, fingerprint(dump(tool.watch)), whole=True)
    return replace(found, releases=before.releases) if before else found


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
    if taken or tool.watch.ignore or tool.watch.min_age:
        found = _whole(context, tool, found)
    sifted = sifted_of(context, tool, found)
    refused = rejected(context.journal, tool.name) if taken else {}
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


def sifted_of(context: Context, tool: Tool, found: Sighting) -> Sifted:
    """Return the releases of a sighting by what the tool's policy lets become of them."""
    firsts = context.journal.pages.first_seen(tool.name) if tool.watch.min_age else {}
    return sift(tool.watch, found.releases, firsts, context.clock.now())


def _hold(context: Context, tool: Tool, version: str) -> Result | None:
    """Return what holds a release here, unless a person has let it go on since.

    What another target refuses holds nothing at this one.
    """
    here = ("", context.target.name)
    holds = context.journal.results.holds(tool.name, version)
    held = (result for result in holds if result.key.scope.partition("@")[2] in here)
    return next((h for h in held if not is_answered(context.journal, h)), None)


def last_standing(context: Context, tool: Tool, *, warn: bool = True) -> Outcome | None:
    """Return where a tool stood at the last look, without asking anybody; None before any.

    Without ``warn`` nothing is said of its keys, and so the journal is read only.
    """
    row = context.journal.pages.of(tool.name)
    if row is None:
        return None
    sighting = _of_row(row, tool, fingerprint(dump(tool.watch)), whole=False)
    if row.status == "answered" and sighting is not None:  # its other releases are seldom needed
        return (stand if warn else _stand)(context, tool, replace(sighting, changed=False))
    outcome = in_trouble(context, tool, ToolsyncError(row.message, resolution=row.resolution))
    status = row.status if row.status in STATUSES else "error"
    told = replace(
        outcome,
        status=status,
        message=row.message + (since(row) if status == "unreachable" else ""),
        exit_status=row.exit_status,
    )
    return as_served(context, tool, told)


def in_trouble(context: Context, tool: Tool, error: ToolsyncError) -> Outcome:
    """Return where a tool stands that could not be looked at or worked on."""
    current = published(context, tool)
    return trouble(tool, error, current=current, page=context.journal.pages.of(tool.name))
