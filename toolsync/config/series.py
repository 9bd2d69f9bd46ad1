"""What a series is called in versions, from distro-info-data, Debian's own list.

A package's version ends in the series' number, since names need not sort in order of age:
``1.5.19-0ubuntu1~ppa1~ubuntu24.04.1`` (the scheme of Ubuntu's PPAs). The ``~`` makes it sort
below a distribution's own ``-0ubuntu1`` or ``-1``, which may take over at any time.
"""

from __future__ import annotations

from functools import cache

from toolsync.model.errors import SetupError
from toolsync.system.distro import rows

_SHORT = {"debian": "deb", "ubuntu": "ubuntu"}


@cache
def series_tag(series: str) -> tuple[str, str]:
    """Return distribution and version tag of a series: ``("debian", "deb12")``.

    Raises SetupError for a series that this machine's distro-info-data does not know.
    """
    for distribution, short in _SHORT.items():
        for row in rows(distribution):
            if row["series"] == series:
                number = row["version"].removesuffix(" LTS") or series
                return distribution, f"{short}{number}"
    raise SetupError(
        f"there is no Debian or Ubuntu series named {series!r}",
        resolution="Mend `series` in toolsync.toml; if it is new: apt install distro-info-data.",
    )


def is_later(series: str, other: str) -> bool:
    """Say whether ``series`` comes after ``other`` in one distribution; False for what is unknown.

    Debian's sid, which is never released, comes after all that are.
    """
    for distribution in _SHORT:
        names = [row["series"] for row in rows(distribution)]
        if series in names and other in names:
            return names.index(series) > names.index(other)
    return False


@cache
def is_backport(origin: str, series: str) -> bool:
    """Say whether packaging from ``origin`` is to give way to what a series' successors will have.

    So it is where that comes after the series, and where it is another distribution's: Ubuntu takes
    its packages from Debian, under the same versions or with ``ubuntu1`` and ``build1`` behind.
    """
    of = [{d for d in _SHORT if any(row["series"] == name for row in rows(d))}
          for name in (origin, series)]  # fmt: skip
    return is_later(origin, series) or (all(of) and of[0].isdisjoint(of[1]))


def full_version(upstream: str, series: str, revision: int, epoch: int = 0) -> str:
    """Return the Debian version for an upstream version in a series.

    ``revision`` counts the packagings of one upstream version, from 1.
    """
    distribution, tag = series_tag(series)
    head = f"{epoch}:" if epoch else ""
    return f"{head}{upstream}-0{distribution}1~ppa{revision}~{tag}.1"
