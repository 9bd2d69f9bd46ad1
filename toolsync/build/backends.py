"""The table of ways to build; no other can be named."""

from __future__ import annotations

from collections.abc import Mapping

from toolsync.build.backend import Backend
from toolsync.build.host import HOST
from toolsync.build.sbuild import SBUILD
from toolsync.config.settings import Build
from toolsync.model.errors import SetupError

BACKENDS: Mapping[str, Backend] = {backend.name: backend for backend in (SBUILD, HOST)}


def backend_of(settings: Build) -> Backend:
    """Return the record that the settings were read with, else the one in `BACKENDS`.

    Raises SetupError where there is none of that name.
    """
    if isinstance(settings.record, Backend):
        return settings.record
    if settings.backend not in BACKENDS:
        raise SetupError(
            f"there is no builder {settings.backend!r}; there are: {', '.join(sorted(BACKENDS))}",
            resolution="Mend [build] backend in toolsync.toml.",
        )
    return BACKENDS[settings.backend]
