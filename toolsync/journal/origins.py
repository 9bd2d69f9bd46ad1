"""Where accepted files came from, what servers said of them, and when those were last asked."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from toolsync.journal.database import Database
from toolsync.journal.rows import Row


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """An address from which a tool's accepted file, or a list of its digests, came."""

    tool: str
    url: str
    sha256: str = ""
    """Of the bytes that were there when they were last read, empty if only the accepted were."""
    size: int = -1
    """Bytes of these; less than 0 if unknown."""
    etag: str = ""
    last_modified: str = ""
    read: str = ""
    """When they were read."""
    asked: str = ""
    """When the server was last asked whether they are still there, empty if never."""
    stated: str = ""
    """What a list that was changed since states instead, as ``DIGEST in ADDRESS``."""


@dataclass(frozen=True, slots=True)
class Origins:
    """The table ``origin``."""

    database: Database

    def of(self, tool: str) -> dict[str, Origin]:
        """Return what is known of a tool's addresses."""
        rows = self.database.of_tool("SELECT * FROM origin", tool)
        return {row.text("url"): _read(row) for row in rows}

    def accepting(self) -> frozenset[str]:
        """Return the tools of which anything was ever accepted."""
        rows = self.database.all("SELECT DISTINCT tool FROM release WHERE sha256 != ''")
        return frozenset(row.text("tool") for row in rows)

    def keep(self, origin: Origin) -> None:
        """Keep what a server says now."""
        with self.database.transaction():
            self.database.replace("origin", ("tool", "url"), asdict(origin))


def _read(row: Row) -> Origin:
    return row.read(Origin, size=row.integer("size"))
