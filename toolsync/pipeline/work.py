"""One release on its way: the tool, the version, and what the stages may use."""

from __future__ import annotations

from dataclasses import dataclass

from toolsync.config.definition import Tool
from toolsync.journal.key import Key
from toolsync.model.release import Release, SourcePackage
from toolsync.pipeline.context import Context


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """One release on its way."""

    context: Context
    tool: Tool
    version: str
    """Upstream's, as the release page's release has it."""
    exclude: bool = True
    """Whether debian/copyright's Files-Excluded count."""
    unproved: bool = False
    """Whether a release may pass of which nothing can be checked: for a person's own use."""

    def key(self, stage: str) -> Key:
        """Return the key of a stage's result before there are packages for series."""
        return Key(tool=self.tool.name, version=self.version, stage=stage)


def work_on(context: Context, tool: Tool, release: Release) -> Work:
    """Return what takes a release on its way."""
    return Work(context=context, tool=tool, version=release.version)


def key_of(source: SourcePackage, stage: str, target: str = "", *, architecture: str = "") -> Key:
    """Return the key of a stage's result for a source package.

    Where it matters it is that for a target, or of a further ``architecture``.
    """
    scope = f"{source.series}/{source.revision}"
    scope += f"/{architecture}" if architecture else ""
    scope += f"@{target}" if target else ""
    return Key(tool=source.release.tool, version=source.release.version, stage=stage, scope=scope)
