"""Go through very many tools with a journal that reads ahead, a share of them at a time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import islice

from toolsync.config.definition import Tool
from toolsync.pipeline.context import Context

_SHARE = 500
"""Tools whose rows are in memory at once: a few kilobytes each."""


def each_ahead(context: Context, tools: Iterable[Tool]) -> Iterator[tuple[Context, Tool]]:
    """Give each tool with a context whose journal answers about it from what was read ahead."""
    left = iter(tools)
    while share := list(islice(left, _SHARE)):
        near = replace(context, journal=context.journal.ahead(tool.name for tool in share))
        for tool in share:
            yield near, tool
