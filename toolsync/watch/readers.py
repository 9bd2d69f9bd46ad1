"""The table of readers: one per kind of release page, and no other can be named."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING

from toolsync.config.definition import Tool
from toolsync.model.release import Release
from toolsync.watch.pages import Pages

if TYPE_CHECKING:
    from toolsync.watch.pages import Reader


def _in(module: str, name: str = "read") -> Reader:
    """Return a reader that is imported, with all that it needs, when a page of its kind is read."""

    @cache
    def reader() -> Reader:
        found: Reader = getattr(import_module(f"toolsync.{module}"), name)
        return found

    def read(tool: Tool, pages: Pages) -> list[Release]:
        return reader()(tool, pages)

    return read


READERS: Mapping[str, Reader] = {
    "index": _in("watch.index"),
    "s3": _in("watch.s3"),
    "html": _in("watch.html"),
    "text": _in("watch.text"),
    "github": _in("watch.github"),
    "gitlab": _in("watch.forge", "gitlab"),
    "forgejo": _in("watch.forge", "forgejo"),
    "git": _in("watch.git"),
    "feed": _in("watch.feed"),
    "json": _in("watch.jsonpage"),
    "npm": _in("watch.jsonpage", "npm"),
    "probe": _in("watch.probe"),
    "watch": _in("watchfile.bundle"),
}
