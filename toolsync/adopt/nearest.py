"""Choose the packaging that is nearest to the newest release, of all that archives have of a name.

Later series' maintainers have met releases that an older series' packaging was not made for: other
files, other ways to build, patches that no longer apply. Their packaging is taken where what it is
built with is there in every series that is built for, and its own debian/watch finds the release.
That is what a backport is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from toolsync.adopt.offered import newest_offered
from toolsync.adopt.opened import Opened
from toolsync.adopt.packaging import Packaging, of_archive
from toolsync.build.archives import Archive, control_of
from toolsync.config.later import upstream_of
from toolsync.model.errors import ToolsyncError
from toolsync.model.release import Release
from toolsync.model.versions import sort_key, upstream_key
from toolsync.package.floors import is_lowered
from toolsync.pipeline.context import Context
from toolsync.watchfile.folder import load_folder


def nearest(
    context: Context,
    first: Packaging,
    opened: Opened,
    folder: Path,
    said: list[str],
    tell: Callable[[str], None],
) -> Packaging:
    """Return packaging that is nearer to the newest release than ``first``, or that.

    ``folder`` is where it may be laid out. Why packaging that is nearer was not taken, and which
    was, is said in ``said``, the first also in what is returned; nothing is raised.
    """
    passed = [*first.passed]
    release, _ = _offered(context, first, tell)
    everywhere = [*opened.all([]), *opened.newer([])]
    for at, (version, archive) in enumerate(_nearer(first, release, everywhere)):
        name = f"packaging {version} in {archive.series}"
        (place := folder / f"nearer-{at}").mkdir()
        try:
            found = of_archive(first.package.name, version, archive, place)
            name = f"packaging {found.package.version} in {archive.series}"
            why = _unfit(context, found, archive.series, release, opened, tell)
        except ToolsyncError as error:
            why = f"it could not be had: {str(error).splitlines()[0]}"
        if not why:
            mine = first.package.version
            said.append(
                f"{name} is taken, since it is nearer to {release.version if release else version}"
                f" than {mine}; `apt:NAME/SERIES` names another"
            )
            return replace(found, passed=tuple(passed))
        passed.append(f"{name} is nearer to the release, and was not taken: {why}")
        said.append(passed[-1])
    return replace(first, passed=tuple(passed))


def _nearer(
    first: Packaging, release: Release | None, archives: Sequence[Archive]
) -> Iterator[tuple[str, Archive]]:
    """Yield versions between the packaging's and the release's, the newest first.

    One that several archives have is yielded for each, in their order: a mirror may lack its files.
    """
    name, own = first.package.name, upstream_key(upstream_of(first.package.version))
    most = upstream_key(release.version) if release else None
    rows: dict[str, list[Archive]] = {}
    for archive in archives:
        for known in archive.sources(name):
            key = upstream_key(upstream_of(known.version))
            if own < key and (most is None or key <= most):
                rows.setdefault(known.version, []).append(archive)
    for version in sorted(rows, key=sort_key, reverse=True):
        for archive in rows[version]:
            yield version, archive


def _unfit(
    context: Context,
    found: Packaging,
    origin: str,
    release: Release | None,
    opened: Opened,
    tell: Callable[[str], None],
) -> str:
    """Return why packaging cannot be taken, in a phrase; empty where it can."""
    for name in ("control", "watch"):
        if not (found.debian / name).is_file():
            return f"it has no debian/{name}"
    control = control_of(found.debian / "control")
    for series in context.config.series:
        missing = opened(series).lacks(control)
        if lacks := [one for one in missing if not is_lowered(one.group, origin, series)]:
            told = "; ".join(one.told for one in lacks)
            return f"{series} does not have what it is built with: {told}"
    theirs, why = _offered(context, found, tell)
    if theirs is None:
        return f"its debian/watch finds no release{why}"
    if release and upstream_key(theirs.version) < upstream_key(release.version):
        return f"its debian/watch finds {theirs.version}, and {release.version} is offered"
    if upstream_key(upstream_of(found.package.version)) > upstream_key(theirs.version):
        return f"upstream's page offers nothing newer than {theirs.version}"
    return ""


def _offered(
    context: Context, packaging: Packaging, tell: Callable[[str], None]
) -> tuple[Release | None, str]:
    """Return the newest release that packaging's own debian/watch finds; without any, why not."""
    if not (packaging.debian / "watch").is_file():
        return None, ""
    said: list[str] = []
    try:
        release, _ = newest_offered(context, load_folder(packaging.folder), said, tell)
    except ToolsyncError as error:
        release, said = None, [str(error)]
    return release, "".join(f" ({line.splitlines()[0]})" for line in said)
