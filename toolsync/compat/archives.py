"""Compare two releases on files: archives or folders that somebody names."""

from __future__ import annotations

from pathlib import Path

from toolsync.compat.change import Change
from toolsync.compat.compare import compare
from toolsync.compat.reading import read_tree
from toolsync.config import Config
from toolsync.system.work import Workshop
from toolsync.tree import open_any


def compare_files(old: Path, new: Path, *, config: Config) -> tuple[Change, ...]:
    """Return what the users of ``old`` would notice in ``new``, gravest first.

    Raises UsageError for what is no archive, Hostile for one that nobody should open.
    """
    workshop = Workshop(config.state, config.build.work or None)
    with (
        open_any(old, workshop=workshop, limits=config.limits) as old_top,
        open_any(new, workshop=workshop, limits=config.limits) as new_top,
    ):
        was, now = read_tree(old_top).surface(), read_tree(new_top).surface()
        return compare(was, now, series=config.series)
