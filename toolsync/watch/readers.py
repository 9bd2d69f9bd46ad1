"""The table of readers: one per kind of release page, and no other can be named."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING

from toolsync.definition import Tool
from toolsync.model import Release
from toolsync.watch.pages import Pages

if TYPE_CHECKING:
    from toolsync.watch.pages import Reader


def _in(module: str, name: str = "read") -> Reader:
    """Return a reader that is imported, with all that it needs, when a page of its kind is read."""

    @cache
    def reader() -> Reader:
        found: Reader = getattr(import_module(f"toolsync.watch.{module}"), name)
        return found

    def read(tool: Tool, pages: Pages) -> list[Release]:
        return reader()(tool, pages)

    return read


READERS: Mapping[str, Reader] = {
    "index": _in("index"),
    "s3": _in("s3"),
    "html": _in("html"),
    "text": _in("text"),
    "github": _in("github"),
    "gitlab": _in("forge", "gitlab"),
    "forgejo": _in("forge", "forgejo"),
    "git": _in("git"),
    "feed": _in("feed"),
    "json": _in("jsonpage"),
    "npm": _in("jsonpage", "npm"),
    "probe": _in("probe"),
    "watch": _in("bundle"),
}
