"""Tell of a hold for packaging why the packaging that is nearer to the release was not adopted."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from toolsync.config.definition import Tool
from toolsync.model.errors import PackageFailed

V = TypeVar("V")


def telling(tool: Tool, make: Callable[[], V]) -> V:
    """Return what is made. What holds it for its packaging tells what would have fitted better."""
    try:
        return make()
    except PackageFailed as error:
        if tool.nearer:
            error.args = (f"{error}\nAs it was adopted: {tool.nearer}", *error.args[1:])
        raise
