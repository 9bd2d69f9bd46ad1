"""Have pages looked at by a fleet's workers, some in each task."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import TYPE_CHECKING, Protocol, TypeVar

from toolsync.config.definition import Tool
from toolsync.model.errors import TryAgain
from toolsync.pipeline.context import Context
from toolsync.watch.look import Sighting

if TYPE_CHECKING:
    from toolsync.fleet.look import LookAsked

_GROUPS = 32
"""Tasks that are out at the same time."""


class Task(Protocol):
    """A page that is to be looked at."""

    @property
    def tool(self) -> Tool:
        """The tool whose page it is."""

    @property
    def known(self) -> Sighting | None:
        """What is remembered of it."""


T = TypeVar("T", bound=Task)


def by_workers(context: Context, tasks: Iterable[T]) -> Iterator[tuple[T, Sighting | None]]:
    """Give each task with what a worker saw, None where the page is to be looked at here.

    Without a fleet that looks, that is all of them.
    """
    if context.fleet is None or "look" not in context.config.fleet.tasks:
        yield from ((task, None) for task in tasks)
        return
    from toolsync.fleet.look import SHARE, can_be_shared  # only where there is a fleet

    given: list[T] = []
    for task in tasks:
        if can_be_shared(task.tool.watch) and not context.http.token(task.tool.watch.url):
            given.append(task)
        else:
            yield task, None
    rest = iter(given)
    groups = iter(lambda: list(islice(rest, SHARE)), [])
    with ThreadPoolExecutor(_GROUPS) as pool:
        for group, seen in pool.map(lambda group: (group, _seen(context, group)), groups):
            yield from zip(group, seen, strict=True)


def _seen(context: Context, group: list[T]) -> tuple[Sighting | None, ...]:
    """Return what a worker saw of some pages, nothing where none was there or all of them lied."""
    from toolsync.fleet.look import LOOK

    assert context.fleet is not None
    try:
        return context.fleet.ask(LOOK, _asked(group))
    except TryAgain:
        return (None,) * len(group)


def _asked(group: list[T]) -> LookAsked:
    from toolsync.fleet.look import LookAsked, Watched

    return LookAsked(
        pages=tuple(
            Watched(
                tool=task.tool.name,
                watch=task.tool.watch,
                verify=task.tool.verify,
                epoch=task.tool.epoch,
                known=task.known,
            )
            for task in group
        )
    )
