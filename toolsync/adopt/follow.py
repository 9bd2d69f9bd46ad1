"""Follow the packaging of adopted tools: a newer revision in its archive is taken as it comes.

It goes the same way as a release: what it changes is a new packaging of the same upstream version,
which is built, linted, tested and judged before it is published.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from toolsync.adopt.adopt import adopt
from toolsync.build.archives import Archive, open_archive
from toolsync.config.definition import Tool
from toolsync.model.errors import ToolsyncError
from toolsync.model.versions import sort_key
from toolsync.pipeline.context import Context
from toolsync.setup.tools import load_tool

_ADOPTED = re.compile(r'(?m)^adopted = "apt:([a-z0-9][a-z0-9+.-]+)/([a-z]+) (\S+)"$')

Tell = Callable[[str], None]


def follow_packaging(context: Context, tools: Sequence[Tool], tell: Tell) -> tuple[Tool, ...]:
    """Return the tools, those anew whose archive has newer packaging than was adopted.

    An archive's lists are asked for once a day. What cannot be renewed is told, and goes on as it
    is: packaging that was changed here, or an archive that does not answer.
    """
    archives: dict[str, Archive | None] = {}
    return tuple(_followed(context, tool, archives, tell) for tool in tools)


def _followed(
    context: Context, tool: Tool, archives: dict[str, Archive | None], tell: Tell
) -> Tool:
    path = tool.folder / "tool.toml"
    found = _ADOPTED.search(path.read_text(encoding="utf-8")) if path.is_file() else None
    if found is None:
        return tool
    name, series, version = found.groups()
    archive = _opened(context, series, archives, tell)
    try:
        newest = next(iter(archive.sources(name)), None) if archive else None
        if newest is None or sort_key(newest.version) <= sort_key(version):
            return tool
        tell(f"{tool.name}: its packaging {version} has become {newest.version} in {series}")
        adopt(context, f"apt:{name}/{series}", tool.folder.parent, tell=lambda _: None)
        return load_tool(tool.folder, overlay=tool.overlay)
    except (ToolsyncError, OSError) as error:  # a service may not write where tools lie
        tell(f"{tool.name}: its packaging could not be renewed: {error}")
        return tool


def _opened(
    context: Context, series: str, archives: dict[str, Archive | None], tell: Tell
) -> Archive | None:
    """Return a series' archive, opened once; None where it does not answer, which is told."""
    if series not in archives:
        folder = context.config.state / "apt" / series
        try:
            archives[series] = open_archive(
                series, context.config.build, folder, context.clock.now()
            )
        except ToolsyncError as error:
            tell(f"whether packaging has changed is not known: {error}")
            archives[series] = None
    return archives[series]
