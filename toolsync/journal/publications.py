"""Publications: the first time that each packaging was seen to be served, found in the log."""

from __future__ import annotations

from dataclasses import dataclass

from toolsync.journal.database import Database
from toolsync.journal.rows import Row


@dataclass(frozen=True, slots=True, kw_only=True)
class Publication:
    """The first time that a target was seen to serve a packaging of a release for a series."""

    id: int
    """Grows with time."""
    tool: str
    version: str
    """Upstream's."""
    series: str
    revision: str
    target: str
    at: str
    released: str
    """When upstream published it, or when we first saw it where the page does not tell."""
    dated: bool = True
    """Whether the page tells."""


@dataclass(frozen=True, slots=True)
class Publications:
    """What the tables ``log`` and ``release`` tell of publications; nothing is written here."""

    database: Database

    def all(self) -> list[Publication]:
        """Return all publications that were ever confirmed, oldest first."""
        return self._found("TRUE")

    def of(self, tool: str) -> list[Publication]:
        """Return a tool's publications, whatever its name was, oldest first."""
        own = "tool IN (SELECT ? UNION SELECT was FROM former WHERE tool=?)"
        return self._found(own, tool, tool)

    def _found(self, which: str, *values: str) -> list[Publication]:
        rows = self.database.all(_SQL.format(which=which), *values)
        return [_publication(row) for row in rows]


_SQL = (
    "SELECT first.id, coalesce(former.tool, first.tool) AS tool, first.version,"
    " first.scope, log.at,"
    " coalesce(release.seen, '') AS seen,"
    " coalesce(json_extract(release.data, '$.published'), '') AS published"
    " FROM (SELECT min(id) AS id, tool, version, scope FROM log"
    " WHERE stage='confirm' AND event='done' AND {which} GROUP BY tool, version, scope) AS first"
    " JOIN log USING (id) LEFT JOIN former ON former.was=first.tool"
    " LEFT JOIN release ON release.tool=coalesce(former.tool, first.tool)"
    " AND release.version=first.version"
    " ORDER BY first.id"
)


def _publication(row: Row) -> Publication:
    place, _, target = row.text("scope").partition("@")
    series, _, revision = place.partition("/")
    published = row.text("published")
    return row.read(
        Publication,
        series=series,
        revision=revision,
        target=target,
        released=published or row.text("seen") or row.text("at"),
        dated=bool(published),
    )
