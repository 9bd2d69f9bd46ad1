"""Look inside the newest release of what nobody has packaged, and write its first packaging."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from toolsync.adopt.opened import Opened
from toolsync.archives.tree import open_any
from toolsync.build.archives import Archive
from toolsync.config.definition import Tool
from toolsync.fetch.stage import fetch
from toolsync.license.terms import Terms
from toolsync.license.trees import terms_of
from toolsync.model.errors import ToolsyncError
from toolsync.model.release import Blob, Release
from toolsync.pipeline.context import Context
from toolsync.scaffold.tree import Tree
from toolsync.scaffold.write import Scaffold, scaffold
from toolsync.system.sandbox import sandbox_for
from toolsync.verify.methods import plans_of

_PACKAGE = re.compile(r"[a-z0-9][a-z0-9.+-]+")
"""A package's name (Debian Policy 5.6.1); upstream's words are not all fit for one."""


class SeriesNames:
    """The packages of all series that are served; their archives are asked for when it matters."""

    def __init__(self, context: Context, tell: Callable[[str], None]) -> None:
        self._opened, self._series = Opened(context, tell), context.config.series
        self._archives: list[Archive] | None = None
        self.faults: list[str] = []
        """Why an archive could not be asked: the names are guesses then."""

    def first(self, *names: str) -> str:
        """Return the first package that each series has; the first name where none is known."""
        names = tuple(name for name in names if _PACKAGE.fullmatch(name))
        if self._archives is None:
            self._archives = []
            for series in self._series:
                try:
                    self._archives.append(self._opened(series))
                except ToolsyncError as error:
                    self.faults.append(
                        f"whether {series} has what Build-Depends names, for its archive is not"
                        f" known: {error}"
                    )
        if not self._archives:
            return names[0] if names else ""
        known = [archive.offers(names) for archive in self._archives]
        return next((name for name in names if all(name in each for each in known)), "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Inside:
    """What a release shows of itself."""

    scaffold: Scaffold
    archive: Blob | None
    """Its archive in the store, None where that could not be read."""


def packaging_of(
    context: Context, tool: Tool, release: Release, homepage: str, tell: Callable[[str], None]
) -> Inside:
    """Return a first debian/ for a release, which is fetched, read and not run.

    Where it cannot be read, what is written is a frame, and a question says why.
    """
    names = SeriesNames(context, tell)
    try:
        archive, found = _read(context, tool, release, homepage, names, tell)
    except ToolsyncError as error:
        why = f"how it is built: {release.version} could not be read: {error}"
        with tempfile.TemporaryDirectory(prefix="toolsync-add-") as folder:
            frame = _written(context, tool, Path(folder), Terms(), homepage, names)
        return Inside(scaffold=replace(frame, questions=(why,)), archive=None)
    questions = (*found.questions, *names.faults)
    return Inside(scaffold=replace(found, questions=questions), archive=archive)


def _read(
    context: Context,
    tool: Tool,
    release: Release,
    homepage: str,
    names: SeriesNames,
    tell: Callable[[str], None],
) -> tuple[Blob, Scaffold]:
    limits = context.config.limits
    tell(f"looking inside {release.filename or release.version}")
    fetched = fetch(
        release,
        plans_of(tool, release),
        source=tool.source,
        tree=tool.watch.is_tree,
        http=context.http,
        store=context.store,
        limits=limits,
        progress=context.progress(release.filename or release.version),
    )
    archive = context.store.path(fetched.archive)
    with open_any(archive, workshop=context.workshop, limits=limits) as top:
        terms = terms_of(top, workshop=context.workshop, limits=limits)
        return fetched.archive, _written(context, tool, top, terms, homepage, names)


def _written(
    context: Context, tool: Tool, top: Path, terms: Terms, homepage: str, names: SeriesNames
) -> Scaffold:
    return scaffold(
        Tree(top),
        terms,
        name=tool.source,
        maintainer=context.config.maintainer,
        homepage=homepage,
        names=names,
        sandbox=lambda: sandbox_for(top, **asdict(context.config.compat)),
    )
