"""Compare two releases on files: archives or folders that somebody names."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path

from toolsync.archives.tree import open_any, open_packages
from toolsync.compat.change import Change
from toolsync.compat.compare import compare
from toolsync.compat.compiled import read_libraries
from toolsync.compat.deb import read_packages, read_release
from toolsync.compat.probe import Prober
from toolsync.compat.surface import Surface
from toolsync.config.settings import Config
from toolsync.system.confined import confined
from toolsync.system.sandbox import sandbox_for
from toolsync.system.work import Workshop


def compare_files(
    old: Path, new: Path, *, config: Config, probe: bool = True
) -> tuple[Change, ...]:
    """Return what the users of ``old`` would notice in ``new``, gravest first.

    With ``probe`` their commands are run in a sandbox, else only their files are read.

    Raises UsageError for what is no archive, Hostile for one that nobody should open or that
    takes more than its limits.
    """
    workshop = Workshop(config.state, config.build.work or None)
    with (
        open_any(old, workshop=workshop, limits=config.limits) as old_top,
        open_any(new, workshop=workshop, limits=config.limits) as new_top,
    ):
        return confined(
            partial(_compared, (old, old_top), (new, new_top), config, probe=probe),
            what="reading and running the commands of both",
            seconds=2 * (config.limits.gate_seconds + config.compat.total_seconds),
            memory=config.limits.gate_memory,
        )


def installed(debs: Sequence[Path], *, config: Config, commands: tuple[str, ...] = ()) -> Surface:
    """Return what binary packages offer together, as the gate keeps it of a release.

    ``commands`` are those that matter, as in a tool's [compat]. Raises Hostile and TooMuch.
    """
    workshop = Workshop(config.state, config.build.work or None)
    with open_packages(debs, workshop=workshop, limits=config.limits) as top:
        return confined(
            partial(_installed, debs, top, config, commands),
            what="reading and running its commands",
            seconds=config.limits.gate_seconds + config.compat.total_seconds,
            memory=config.limits.gate_memory,
        )


def _installed(
    debs: Sequence[Path], top: Path, config: Config, commands: tuple[str, ...]
) -> Surface:
    release = read_packages(debs, top)
    prober = Prober(release, sandbox_for(release.tree.root, **asdict(config.compat)), commands)
    read_libraries(release.tree, release.draft, prober.sandbox)
    prober.examine()
    return replace(release.surface(), installed=True)


def _compared(
    old: tuple[Path, Path], new: tuple[Path, Path], config: Config, *, probe: bool
) -> tuple[Change, ...]:
    """Compare two archives, each with the folder in which it lies open."""
    was, now = read_release(*old), read_release(*new)
    if was.tree.digest() == now.tree.digest():
        return ()
    probers = [
        Prober(release, sandbox_for(release.tree.root, **asdict(config.compat)))
        for release in (was, now)
    ]
    for release, prober in zip((was, now), probers, strict=True):
        read_libraries(release.tree, release.draft, prober.sandbox)
    for prober in probers if probe else ():
        prober.examine()
    vanished = probers[1].vanished if probe else None
    return compare(was.surface(), now.surface(), series=config.series, prober=vanished)
