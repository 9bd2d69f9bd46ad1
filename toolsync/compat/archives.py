"""Compare two releases on files: archives or folders that somebody names."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

from toolsync.archives.tree import open_any
from toolsync.compat.change import Change
from toolsync.compat.compare import compare
from toolsync.compat.deb import read_release
from toolsync.compat.probe import Prober
from toolsync.config.settings import Config
from toolsync.system.sandbox import sandbox_for
from toolsync.system.work import Workshop


def compare_files(
    old: Path, new: Path, *, config: Config, probe: bool = True
) -> tuple[Change, ...]:
    """Return what the users of ``old`` would notice in ``new``, gravest first.

    With ``probe`` their commands are run in a sandbox, else only their files are read.

    Raises UsageError for what is no archive, Hostile for one that nobody should open.
    """
    workshop = Workshop(config.state, config.build.work or None)
    with (
        open_any(old, workshop=workshop, limits=config.limits) as old_top,
        open_any(new, workshop=workshop, limits=config.limits) as new_top,
    ):
        was, now = read_release(old, old_top), read_release(new, new_top)
        if was.tree.digest() == now.tree.digest():
            return ()
        probers = [
            Prober(release, sandbox_for(release.tree.root, **asdict(config.compat)))
            for release in (was, now)
        ]
        for prober in probers if probe else ():
            prober.examine()
        vanished = probers[1].vanished if probe else None
        return compare(was.surface(), now.surface(), series=config.series, prober=vanished)
