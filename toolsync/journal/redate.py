"""Mend the moments that a clock wrote which was ahead."""

from __future__ import annotations

from datetime import timedelta

from toolsync.journal.database import Database
from toolsync.journal.key import Key
from toolsync.journal.log import add_line
from toolsync.system.clock import Clock, stamp

_SLACK = timedelta(minutes=5)
"""What lies less in the future is no more than a clock that was set right."""
_LIVE = (
    *(("page", "answered"), ("standing", "since"), ("first", "since")),
    *(("upload", "since"), ("upload", "changed")),
)
"""Moments by which something is decided, by table and column."""


def redate(database: Database, clock: Clock) -> str:
    """Date now what lies in the future; return the latest such moment, empty if none does.

    A clock that was ahead and is right again would else keep silence from being told, and
    deadlines from passing, until that future has come. The log stays as it was, and says so.
    """
    now = clock.now()
    late = stamp(now + _SLACK)
    asked = " UNION ALL ".join(
        f"SELECT coalesce(max({name}), '') AS at FROM {table}"  # noqa: S608 (our own names)
        for table, name in _LIVE
    )
    latest = max(row.text("at") for row in database.all(asked))
    if latest <= late:
        return ""
    with database.transaction():
        for table, name in _LIVE:
            sql = f"UPDATE {table} SET {name}=? WHERE {name}>?"  # noqa: S608 (our own names)
            database.execute(sql, stamp(now), late)
        text = f"the clock says {stamp(now)}, but had said {latest}"
        add_line(database, Key(tool="", version="", stage=""), "clock", text, stamp(now))
    return latest
