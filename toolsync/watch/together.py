"""Ask for many tools' pages in one request, where a server can answer so.

A kind that can do it says so in its record by a `Together`. The tools of one server are then
gathered, and the first of them that is looked at asks for all.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, NamedTuple, TypeVar

from toolsync.model.errors import ToolsyncError

if TYPE_CHECKING:
    from toolsync.config.definition import Tool
    from toolsync.config.settings import Limits
    from toolsync.http.answer import Page
    from toolsync.http.client import Http

T = TypeVar("T")


class Wanted(NamedTuple):
    """A tool that is asked for, and the tag down to which its listing is needed."""

    tool: Tool
    down_to: str
    """Of the newest release that was seen; empty where the whole listing is needed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Together:
    """How a kind asks for many tools at once."""

    place: Callable[[Tool, Http], str]
    """Returns the address that is asked for a tool, empty where it is asked for alone."""
    ask: Callable[[str, Sequence[Wanted], Http, Limits], Sequence[Page | ToolsyncError]]
    """Returns a page, or what is wrong, for each tool in order."""
    most: int
    """Tools in one request."""


class Batch:
    """The tools of one request; for many threads."""

    def __init__(
        self, together: Together, place: str, wanted: Sequence[Wanted], http: Http, limits: Limits
    ) -> None:
        self._together, self._place, self._wanted = together, place, wanted
        self._http, self._limits = http, limits
        self._lock = threading.Lock()
        self._answers: Sequence[Page | ToolsyncError] = ()

    def page(self, number: int) -> Page:
        """Return the page of one of the tools; raises what is wrong with it, or with all."""
        with self._lock:
            if not self._answers:
                self._answers = self._ask()
        answer = self._answers[number]
        if isinstance(answer, ToolsyncError):
            raise answer
        return answer

    def _ask(self) -> Sequence[Page | ToolsyncError]:
        try:
            return self._together.ask(self._place, self._wanted, self._http, self._limits)
        except ToolsyncError as error:
            return [error] * len(self._wanted)


class Item(NamedTuple, Generic[T]):
    """Something that is worked on for a tool."""

    value: T
    wanted: Wanted
    together: Together | None
    """How its kind is asked."""


def gathered(
    items: Iterable[Item[T]], http: Http, limits: Limits
) -> Iterator[tuple[T, Callable[[], Page] | None]]:
    """Yield each value with what gives its page, None where it is asked for alone.

    The order changes: what is gathered comes when its request is full, or at the end.
    """
    waiting: dict[tuple[Together, str], list[Item[T]]] = {}
    for item in items:
        place = item.together.place(item.wanted.tool, http) if item.together else ""
        if not item.together or not place:
            yield item.value, None
            continue
        group = waiting.setdefault((item.together, place), [])
        group.append(item)
        if len(group) == item.together.most:
            yield from _asked(waiting.pop((item.together, place)), place, http, limits)
    for (_, place), group in waiting.items():
        yield from _asked(group, place, http, limits)


def _asked(
    group: Sequence[Item[T]], place: str, http: Http, limits: Limits
) -> Iterator[tuple[T, Callable[[], Page]]]:
    together = group[0].together
    assert together is not None
    batch = Batch(together, place, [item.wanted for item in group], http, limits)
    for number, item in enumerate(group):
        yield item.value, lambda number=number: batch.page(number)  # type: ignore[misc]
