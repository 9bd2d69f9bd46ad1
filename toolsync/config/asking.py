"""The words by which a person on an instance asks apt for packages of an archive."""

from __future__ import annotations

from collections.abc import Iterable

from toolsync.config.settings import Config


def to_install(config: Config, packages: Iterable[str], series: str) -> str:
    """Return what follows ``apt-get install`` to get packages from a set-up's target.

    The local archive does not offer by itself what the distribution has, too (apt_preferences(5),
    NotAutomatic): a bare name would bring the distribution's older package. ``NAME/SERIES``
    (apt-get(8)) takes the newest that any archive of this series has. ``-t SERIES`` would do so,
    too, but prefer the series to its security updates for all that the package needs.
    """
    given = tuple(packages)
    if config.target != "local" or config.local.automatic:
        return " ".join(given)
    return " ".join(f"{name}/{series}" for name in given)
