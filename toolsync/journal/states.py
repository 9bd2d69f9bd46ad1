"""States: what everybody sees of every tool, one row each, and whose row is out of date.

A row is what `maintain.overview` found when it was last asked. Whatever is written of a tool
elsewhere in the journal, by any process, puts its name into the table ``stale`` by a trigger of
the database's own; so a row that is not named there is true, and nobody has to remember to say so.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from toolsync.journal.database import Database
from toolsync.journal.rows import Row
from toolsync.model.values import dump, load
from toolsync.system.clock import Clock

ORDER = ("held", "replaced", "recalled", "drifted", "error", "unreachable", "new", "", "up-to-date")
"""The statuses in the order in which they want a person; empty for a tool never looked at."""
_SORTS = {
    "": "place, tool",
    "name": "tool",
    "newest": "newest = '', newest, tool",
    "since": "since DESC, tool",
    "lag": "lag DESC, tool",
}
SORTS = tuple(_SORTS)
"""By what a list may be sorted; the first puts those first that wait for somebody."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """What one target serves for one series."""

    target: str
    series: str
    version: str
    """The Debian version."""
    since: str


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """What everybody sees of a tool."""

    tool: str
    mark: str
    """Of the files that define it, as they were then."""
    status: str
    """One of `model.release.STATUSES`, empty before the first look."""
    current: str
    newest: str
    url: str
    message: str
    resolution: str
    exit_status: int
    since: str
    """When it came to this status."""
    holder: str
    """The stage that holds its newest release, empty where none does."""
    lag: int
    """Seconds that its last release took to apt, -1 where there is none."""
    summary: str
    area: str
    """By its terms: ``main`` or ``non-free`` (Debian Policy 2.2)."""
    places: tuple[Placed, ...]
    computed: str
    looked: str = ""
    """When its page was last looked at."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Which rows of the list are wanted; an empty text wants all."""

    text: str = ""
    """What a name, a summary or a message must hold."""
    status: str = ""
    """A status; ``none`` for those never looked at, ``waiting`` for all that want a person."""
    series: str = ""
    area: str = ""
    holder: str = ""
    sort: str = ""
    """One of `SORTS`."""
    first: int = 0
    """The number of rows that are passed over."""
    most: int = 50


@dataclass(frozen=True, slots=True)
class States:
    """The tables ``state`` and ``stale``."""

    database: Database
    clock: Clock

    def get(self, tool: str) -> State | None:
        """Return a tool's row as it was last computed."""
        found = self.database.all(f"{_ROWS} WHERE tool=?", tool)
        return _state(found[0]) if found else None

    def listed(self, asked: Asked) -> tuple[list[State], int]:
        """Return the rows that are asked for, and how many there would be without an end."""
        where, values = _where(asked)
        order = _SORTS[asked.sort]
        chosen = (
            f"WITH chosen AS (SELECT tool, count(*) OVER () AS total FROM state"  # noqa: S608
            f" WHERE {where} ORDER BY {order} LIMIT ? OFFSET ?) "
        )
        sql = f"{chosen}{_ROWS} JOIN chosen USING (tool) ORDER BY {order}"
        rows = self.database.all(sql, *values, asked.most, asked.first)
        if rows or not asked.first:
            return [_state(row) for row in rows], rows[0].integer("total") if rows else 0
        counted = self.database.all(f"SELECT count(*) AS total FROM state WHERE {where}", *values)  # noqa: S608 (our own names)
        return [], counted[0].integer("total")

    def counts(self) -> dict[str, int]:
        """Return how many tools there are of each status."""
        rows = self.database.all("SELECT status, count(*) AS n FROM state GROUP BY status")
        return {row.text("status"): row.integer("n") for row in rows}

    def choices(self) -> dict[str, list[str]]:
        """Return what there is to choose from: series, areas, and stages that hold something."""
        found = {
            "series": "SELECT DISTINCT series AS name FROM upload WHERE state='confirmed'",
            "area": "SELECT DISTINCT area AS name FROM state",
            "holder": "SELECT DISTINCT holder AS name FROM state WHERE holder != ''",
        }
        return {
            what: sorted(filter(None, (row.text("name") for row in self.database.all(sql))))
            for what, sql in found.items()
        }

    def marks(self) -> dict[str, tuple[str, str]]:
        """Return the mark of each row, and when it was computed, by tool."""
        rows = self.database.all("SELECT tool, mark, computed FROM state")
        return {row.text("tool"): (row.text("mark"), row.text("computed")) for row in rows}

    def stale(self) -> dict[str, tuple[str, int]]:
        """Return the tools of which something was written: when, and how often."""
        rows = self.database.all("SELECT tool, at, n FROM stale")
        return {row.text("tool"): (row.text("at"), row.integer("n")) for row in rows}

    def keep(self, states: Sequence[State], seen: Mapping[str, tuple[str, int]]) -> None:
        """Keep rows; what was written of their tools after ``seen`` makes them stale still."""
        with self.database.transaction():
            for state in states:
                columns = {name: getattr(state, name) for name in _COLUMNS}
                columns["place"] = ORDER.index(state.status)
                columns["places"] = json.dumps([dump(place) for place in state.places])
                self.database.replace("state", ("tool",), columns)
                _, number = seen.get(state.tool, ("", 0))
                self.database.execute("DELETE FROM stale WHERE tool=? AND n<=?", state.tool, number)

    def leave_out(self, tools: Collection[str]) -> None:
        """Drop the rows of tools that are followed no longer."""
        with self.database.transaction():
            for table in ("state", "stale"):
                self.database.execute_many(
                    f"DELETE FROM {table} WHERE tool=?",  # noqa: S608 (our own names)
                    [(tool,) for tool in tools],
                )


_COLUMNS = (
    *("tool", "mark", "status", "current", "newest", "url", "message", "resolution"),
    *("exit_status", "since", "holder", "lag", "summary", "area", "computed"),
)
_LOOKED = "coalesce((SELECT looked FROM page WHERE page.tool = state.tool), '') AS looked"
_ROWS = f"SELECT *, {_LOOKED} FROM state"  # noqa: S608


def _state(row: Row) -> State:
    places = json.loads(row.text("places"))
    return row.read(State, places=tuple(load(Placed, place) for place in places))


def _where(asked: Asked) -> tuple[str, list[object]]:
    """Return the condition that a list's rows meet, and its values."""
    parts, values = ["TRUE"], list[object]()
    if asked.text:
        like = "%" + "".join(f"\\{c}" if c in "%_\\" else c for c in asked.text) + "%"
        names = ("tool", "summary", "message", "newest")
        parts.append(
            "(" + " OR ".join(f"lower({name}) LIKE lower(?) ESCAPE '\\'" for name in names) + ")"
        )
        values += [like] * len(names)
    if asked.status == "waiting":
        parts.append("place < ?")
        values.append(ORDER.index("unreachable"))
    elif asked.status:
        parts.append("status = ?")
        values.append("" if asked.status == "none" else asked.status)
    if asked.series:
        parts.append("instr(places, ?) > 0")
        values.append(f'"series": {json.dumps(asked.series)}')
    for name, value in (("area", asked.area), ("holder", asked.holder)):
        if value:
            parts.append(f"{name} = ?")
            values.append(value)
    return " AND ".join(parts), values
