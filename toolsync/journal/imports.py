"""What releases became in a team's git repository: commits, and the requests to merge them."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from toolsync.journal.database import Database
from toolsync.journal.key import Key
from toolsync.journal.log import add_line
from toolsync.journal.rows import Row
from toolsync.system.clock import Clock, stamp

IMPORTED, OPEN, MERGED, CLOSED, HELD = "imported", "open", "merged", "closed", "held"
"""States: on the packaging's branch; proposed; taken by a person; refused by one; in the way."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Import:
    """A Debian version in one repository."""

    tool: str
    version: str
    """The full Debian version."""
    repository: str
    upstream: str
    series: str
    state: str
    branch: str = ""
    commit_id: str = ""
    tree: str = ""
    """Of the whole commit."""
    packaging: str = ""
    """The tree of debian/."""
    dsc: str = ""
    """The digest of the source package that was imported."""
    request: str = ""
    """The address of the merge request, for a person."""
    number: int = 0
    """Its number there."""
    shown: str = ""
    """What the request's text shows of the gates, by `pipeline.review.fingerprint` (``cut`` where
    it has not all of it), then a colon and the text's digest; empty where nothing was shown."""
    who: str = ""
    """Who merged or closed it."""
    message: str = ""
    resolution: str = ""
    at: str = ""


@dataclass(frozen=True, slots=True)
class Imports:
    """The table ``imported``."""

    database: Database
    clock: Clock

    def get(self, tool: str, version: str, repository: str) -> Import | None:
        """Return what a Debian version became in a repository."""
        row = self.database.one(
            "SELECT * FROM imported WHERE tool=? AND version=? AND repository=?",
            *(tool, version, repository),
        )
        return None if row is None else _read(row)

    def of(self, tool: str) -> list[Import]:
        """Return all of a tool, the latest first."""
        rows = self.database.of_tool("SELECT * FROM imported", tool, "ORDER BY at DESC")
        return [_read(row) for row in rows]

    def last(self, tool: str, repository: str, branch: str) -> Import | None:
        """Return what a tool's branch was last given, None before."""
        found = (
            one for one in self.of(tool) if (one.repository, one.branch) == (repository, branch)
        )
        return next((one for one in found if one.commit_id and one.state == IMPORTED), None)

    def keep(self, one: Import) -> None:
        """Keep what is so now, and log it where that is news."""
        known = self.get(one.tool, one.version, one.repository)
        if known is not None and _told(known) == _told(one):
            return
        now = stamp(self.clock.now())
        with self.database.transaction():
            row = {**asdict(one), "at": now}
            self.database.replace("imported", ("tool", "version", "repository"), row)
            key = Key(tool=one.tool, version=one.upstream, stage="git", scope=one.series)
            where = one.request or f"{one.repository} {one.branch} {one.commit_id[:12]}"
            by = f" by {one.who}" if one.who else ""
            text = f"{one.version}: {where}{by}" + (f": {one.message}" if one.message else "")
            add_line(self.database, key, f"git-{one.state}", text, now)


def _told(one: Import) -> dict[str, object]:
    return {name: value for name, value in asdict(one).items() if name != "at"}


def _read(row: Row) -> Import:
    return row.read(Import, number=row.integer("number"))
