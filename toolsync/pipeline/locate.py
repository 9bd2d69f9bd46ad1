"""Complete a release with all that belongs to it: what its page named is often not the whole."""

from __future__ import annotations

from toolsync.config.definition import Tool
from toolsync.model.errors import TryAgain
from toolsync.model.release import Release
from toolsync.pipeline.context import Context


def whole(context: Context, tool: Tool, release: Release) -> Release:
    """Return a release with its parts: of a watch file the components, as its pages name them now.

    Raises TryAgain where the newest release has changed since the page was looked at.
    """
    if not tool.watch.is_folder:
        return release
    from toolsync.watchfile.locate import locate  # no other tool needs its parser

    http, limits = context.http, context.config.limits
    found = locate(tool, http=http, limits=limits)
    if found.release.version != release.version:
        found = locate(tool, http=http, limits=limits, wanted=release.raw_version)
    if found.release.version != release.version:
        raise TryAgain(
            f"{tool.name} {release.version} was named a moment ago, and now"
            f" {found.release.version} is",
            resolution="The next run looks again.",
        )
    return found.whole()
