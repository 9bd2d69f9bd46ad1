"""Which series there are, from distro-info-data, Debian's own list."""

from __future__ import annotations

import csv
from datetime import date
from functools import cache
from pathlib import Path

from toolsync.model.errors import SetupError

_DATA = Path("/usr/share/distro-info")


@cache
def rows(distribution: str) -> tuple[dict[str, str], ...]:
    """Return what is known of each series of ``debian`` or ``ubuntu``, oldest first."""
    path = _DATA / f"{distribution}.csv"
    try:
        with path.open(encoding="utf-8", newline="") as handle:
            return tuple(csv.DictReader(handle))
    except OSError as error:
        raise SetupError(
            f"{path} cannot be read: {error.strerror}",
            resolution="Install it with: apt install distro-info-data",
        ) from error


def supported(distribution: str, day: date) -> tuple[str, ...]:
    """Return the series that are released and not at their end of life, oldest first.

    That end is the one of free, ordinary support: after it a PPA takes no uploads.
    """
    return tuple(
        row["series"]
        for row in rows(distribution)
        if _date(row["release"]) is not None
        and (_date(row["release"]) or date.max) <= day
        and day <= (_date(row["eol"]) or date.max)
    )


def _date(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None
