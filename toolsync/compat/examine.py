"""Read what users of a release can touch and run its commands, here or on a worker."""

from __future__ import annotations

from dataclasses import asdict, replace

from toolsync.compat.compare import Prober as TriesOptions
from toolsync.compat.compiled import read_libraries
from toolsync.compat.probe import Prober
from toolsync.compat.reading import Release
from toolsync.compat.surface import Surface
from toolsync.config.settings import Compat
from toolsync.system.sandbox import sandbox_for


def examine(
    release: Release, settings: Compat, commands: tuple[str, ...], *, probe: bool, installed: bool
) -> tuple[Surface, TriesOptions | None]:
    """Return what a release offers, and who tries options that it no longer names.

    ``commands`` are patterns of those that are run where ``probe`` is set, none for all.
    """
    sandbox = sandbox_for(release.tree.root, **asdict(settings))
    read_libraries(release.tree, release.draft, sandbox)
    prober = Prober(release, sandbox, commands)
    if not probe:
        return replace(release.surface(), installed=installed), None
    prober.examine()
    return replace(release.surface(), installed=installed), prober.vanished
