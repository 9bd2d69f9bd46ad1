"""The table of columns that the page of all tools and ``toolsync status`` have beside their own.

A column is one entry of `COLUMNS`: it stands on the page, in the table of the command line, and
under its name in ``status --json``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from toolsync.journal.pages import PageRow
    from toolsync.model.release import Outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What is known of a tool without asking anybody."""

    tool: str
    outcome: Outcome | None
    """Where it stood at its last look, None before the first."""
    page: PageRow | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One thing that is told of every tool."""

    name: str
    """Its key in JSON: documented, and never renamed."""
    head: str
    value: Callable[[Known], str | None]
    """Returns what stands there, None where there is nothing to tell."""


COLUMNS = (
    Column(
        name="looked",
        head="Last look",
        value=lambda known: known.page.looked if known.page else None,
    ),
)


def values(known: Known) -> dict[str, str | None]:
    """Return what every column tells of a tool, by the columns' names."""
    return {column.name: column.value(known) for column in COLUMNS}
