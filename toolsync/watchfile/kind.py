"""The record of a folder with a watch file, as a kind of release page."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from toolsync.config.record import Table
from toolsync.watch.kind import Kind

if TYPE_CHECKING:
    from toolsync.config.definition import Tool
    from toolsync.model.release import Release
    from toolsync.watch.pages import Pages


def read(tool: Tool, pages: Pages) -> list[Release]:
    """Return the releases of the main tarball: what a reader of a release page gives."""
    from toolsync.watchfile.bundle import read as by_rules

    return by_rules(tool, pages)


def _no_address(watch: Table) -> Iterator[str]:
    """Yield what a [watch] section of this kind says and debian/watch says already."""
    for key in ("url", "user_agent"):
        if key in watch:
            yield f"watch.{key}: debian/watch says that where the kind is watch"


WATCH = Kind(
    name="watch",
    about="what the tool's own debian/watch says",
    read=read,
    faults=_no_address,
)
