"""Which series there are, from distro-info-data, Debian's own list."""

from __future__ import annotations

import csv
import re
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

    That end is the one of the support that everybody gets: Debian's with its LTS, and Ubuntu's
    ordinary one, after which a PPA takes no uploads.
    """
    end = {"debian": "eol-lts"}.get(distribution, "eol")
    return tuple(
        row["series"]
        for row in rows(distribution)
        if _date(row["release"]) is not None
        and (_date(row["release"]) or date.max) <= day
        and day <= (_date(row.get(end)) or _date(row["eol"]) or date.max)
    )


def host_series(release: Path = Path("/etc/os-release")) -> str:
    """Return the series of this machine; Debian's newest where it is none, or is not released.

    ``release`` is of the form of os-release(5).
    """
    try:
        text = release.read_text(encoding="utf-8")
    except OSError:
        text = ""
    found = re.search(r"^VERSION_CODENAME=[\"']?(\w+)", text, re.MULTILINE)
    known = [row["series"] for name in ("debian", "ubuntu") for row in rows(name)]
    if found and found[1] in known:
        return found[1]
    return supported("debian", date.today())[-1]  # noqa: DTZ011 (a day more or less is the same)


def _date(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None
