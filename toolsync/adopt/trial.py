"""Build a first packaging once, before anything of it is proved: to see whether it builds.

Nothing of it is published: the release is no more than downloaded, so it is built where every
package is built, with the same limits, and what is made goes no further.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from debian.changelog import Changelog

from toolsync.archives.tree import unpack_into
from toolsync.build.stage import Product, make
from toolsync.config.definition import Tool
from toolsync.model.release import Blob, Release
from toolsync.package.placeholders import check_placeholders
from toolsync.package.stage import put_packaging
from toolsync.pipeline.context import Context
from toolsync.system.run import run
from toolsync.system.work import remove_tree
from toolsync.unpack.exclusions import Exclusions
from toolsync.unpack.orig import Orig, make_orig

_SECONDS = 600


@dataclass(frozen=True, slots=True, kw_only=True)
class _Trial:
    series: str
    files: tuple[Blob, ...]


def try_build(context: Context, tool: Tool, release: Release, archive: Blob) -> Product:
    """Return what is built of a release for the first series, linted and tested as ever.

    Raises SetupError while a placeholder stands, and what building raises.
    """
    check_placeholders(tool.name, tool.folder, tool.debian)
    series = (tool.series or context.config.series)[0]
    with context.workshop.folder("trial") as folder:
        orig = make_orig(
            context.store.path(archive),
            source=tool.source,
            version=release.version,
            exclusions=Exclusions.read(tool.debian / "copyright"),
            limits=context.config.limits,
            folder=folder,
        )
        dsc = _source_package(context, tool, release, orig, series)
        named = [dsc, *sorted(p for p in folder.iterdir() if _is_source(p.name, tool.source))]
        files = tuple(context.store.add_file(path) for path in dict.fromkeys(named))
    return make(
        _Trial(series=series, files=files),
        settings=context.config.build,
        store=context.store,
        workshop=context.workshop,
        chroots=context.chroots,
    )


def _is_source(name: str, source: str) -> bool:
    return bool(re.fullmatch(rf"{re.escape(source)}_\S+\.(?:tar\.\w+|dsc)", name))


def _source_package(
    context: Context, tool: Tool, release: Release, orig: Orig, series: str
) -> Path:
    """Make the source package beside the orig tarball; return its .dsc."""
    folder = orig.path.parent
    (folder / "tree").mkdir()
    top = unpack_into(orig.path, folder / "tree", context.config.limits)
    remove_tree(top / "debian")
    put_packaging(tool.debian, top)
    log = Changelog()
    log.new_block(
        package=tool.source,
        version=f"{release.version}-0trial1",
        distributions=series,
        urgency="medium",
        author=context.config.maintainer,
        date=f"{datetime.fromtimestamp(orig.epoch, UTC):%a, %d %b %Y %H:%M:%S +0000}",
    )
    for line in ("", "  * A trial of the packaging; nobody gets it.", ""):
        log.add_change(line)
    (top / "debian" / "changelog").write_text(str(log), encoding="utf-8")
    run("dpkg-source", "--build", top, timeout=_SECONDS, cwd=folder)
    (dsc,) = folder.glob("*.dsc")
    return dsc
