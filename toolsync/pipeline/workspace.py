"""Open a release for a person's hands where its packaging does not fit, and take back what is done.

The release is the newest that was seen, or the one that is named; it takes the one road as far as
a package would be made of it.
"""

from __future__ import annotations

from pathlib import Path

from toolsync.config.definition import Tool
from toolsync.config.mended import Mended
from toolsync.model.errors import UsageError
from toolsync.model.release import Licensed, Release, load
from toolsync.model.versions import upstream_key
from toolsync.package.workspace import Workspace, marked, open_tree, take_back
from toolsync.pipeline.context import Context
from toolsync.pipeline.road import licensed


def open_workspace(context: Context, tool: Tool, place: Path | None, wanted: str) -> Workspace:
    """Lay a release out at ``place``; raise what holds it before it is packaged."""
    item = _licensed(context, tool, wanted)
    target = place or default_place(tool, item.release.version)
    return open_tree(item, tool, target, store=context.store, workshop=context.workshop)


def close_workspace(context: Context, tool: Tool, place: Path | None, wanted: str) -> Mended:
    """Take what was mended at ``place`` to the tool; raise UsageError for another's tree."""
    target, found = place, marked(place) if place else None
    if place is None:
        rows = [row.version for row in context.journal.releases.of(tool.name)]
        likely = [Path(), *(default_place(tool, v) for v in rows if wanted in ("", v))]
        target = next((p for p in likely if (m := marked(p)) and m.tool == tool.name), None)
        found = marked(target) if target else None
    if target is None or found is None or found.tool != tool.name:
        raise UsageError(
            f"{place or Path.cwd()} holds no tree of {tool.name} that `toolsync workspace` opened",
            resolution="Run it where the tree was opened, or name the tree with --output.",
        )
    item = _licensed(context, tool, found.version)
    return take_back(item, tool, target, store=context.store, workshop=context.workshop)


def default_place(tool: Tool, version: str) -> Path:
    """Return where a tree is opened unless another place is named: the current folder."""
    return Path(f"{tool.source}-{version}")


def _licensed(context: Context, tool: Tool, wanted: str) -> Licensed:
    rows = context.journal.releases.of(tool.name)
    seen = sorted((row for row in rows if wanted in ("", row.version)),
                  key=lambda row: upstream_key(row.version))  # fmt: skip
    if not seen:
        raise UsageError(
            f"no release {f'{wanted} ' if wanted else ''}of {tool.name} was taken yet",
            resolution=f"Take it first: toolsync sync {tool.name}",
        )
    return licensed(context, tool, load(Release, seen[-1].data))
