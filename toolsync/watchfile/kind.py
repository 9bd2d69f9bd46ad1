"""The record of a folder with a watch file, as a kind of release page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from toolsync.watch.kind import Kind

if TYPE_CHECKING:
    from toolsync.config.definition import Tool
    from toolsync.model.release import Release
    from toolsync.watch.pages import Pages


def read(tool: Tool, pages: Pages) -> list[Release]:
    """Return the releases of the main tarball: what a reader of a release page gives."""
    from toolsync.watchfile.bundle import read as by_rules

    return by_rules(tool, pages)


WATCH = Kind(
    name="watch",
    about="a folder with debian/watch: what that says",
    read=read,
    in_toml=False,
)
