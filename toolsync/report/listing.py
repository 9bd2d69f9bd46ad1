"""The list of tools as all pages show it: the served overview and the static page's index.

What is known of a tool comes from elsewhere (`journal.states`, `report.toolpage`); here it becomes
the row that ``listing.html.j2`` draws, the one place with the markup of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from toolsync.journal.states import ORDER
from toolsync.report.chart import Chart


class Served(Protocol):
    """What one target serves for one series."""

    @property
    def target(self) -> str:
        """Its name."""

    @property
    def series(self) -> str:
        """The series."""

    @property
    def version(self) -> str:
        """The Debian version."""


Group = tuple[str, str, Sequence[str]]
"""An upstream version, a target, and the series that have it there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One tool."""

    name: str
    href: str
    """Where its page is."""
    summary: str
    status: str
    """Empty before the first look."""
    newest: str
    places: Sequence[Group]
    lag: str
    """In words, empty where there is none."""
    seconds: int
    """The same to sort by, -1 where there is none."""
    chart: Chart | None = None
    why: str = ""
    """The sentence below it, where there is something to say."""
    review: str = ""
    """Where its release is reviewed; empty where none waits, or not here."""
    more: Sequence[str] = ()
    """The cells of further columns."""

    @property
    def rank(self) -> int:
        """Its place by what wants a person first."""
        return rank(self.status)


def rank(status: str) -> int:
    """Return the place of a status in the order in which they want a person."""
    return ORDER.index(status if status in ORDER else "")


def wants_words(status: str, resolution: str) -> bool:
    """Say whether a tool's row tells why it stands there."""
    return status not in ("up-to-date", "") and not (status == "new" and not resolution)


def grouped(places: Iterable[Served]) -> list[Group]:
    """Return which upstream version stands where: version, target, its series."""
    found: dict[tuple[str, str], list[str]] = {}
    for place in places:
        version = place.version.partition("~")[0].rpartition("-")[0] or place.version
        found.setdefault((version, place.target), []).append(place.series)
    return [(version, target, series) for (version, target), series in found.items()]
