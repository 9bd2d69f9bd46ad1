"""Bring the patches of a later series' packaging, whose maintainers know the release already."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

from toolsync.adopt.packaging import Packaging
from toolsync.build.archives import Archive
from toolsync.config.later import upstream_of
from toolsync.model.errors import ToolsyncError
from toolsync.model.versions import upstream_key
from toolsync.system.run import run

_DEBIAN = re.compile(r".+\.debian\.tar\.(?:gz|xz|bz2|zst)")
_SECONDS = 300


def bring_later(
    packaging: Packaging,
    archives: Callable[[], Sequence[Archive]],
    newest: str,
    folder: Path,
    undecided: list[str],
    tell: Callable[[str], None],
) -> Path | None:
    """Return a folder of `config.later`'s form; None where no later packaging helps.

    It is of a newer upstream version than the packaging, and of none newer than ``newest``. The
    archive's signed index vouches for it. What cannot be had is said in ``undecided``.
    """
    own = upstream_key(upstream_of(packaging.package.version))
    found = [
        (upstream_key(upstream_of(known.version)), known, archive)
        for archive in archives()
        for known in archive.sources(packaging.package.name)
        if own < upstream_key(upstream_of(known.version)) <= upstream_key(newest)
    ]
    for _, known, archive in sorted(found, key=lambda row: row[0], reverse=True):
        name = next((name for name in known.files if _DEBIAN.fullmatch(name)), "")
        if not name:
            continue
        tell(f"reading the patches of {known.version} in {archive.series}")
        try:
            tarball = archive.file(
                packaging.package.name, known.version, name, folder / "later-tar"
            )
            return _laid_out(tarball, f"{archive.series} {known.version}", folder / "later")
        except ToolsyncError as error:
            said = f"the patches of {known.version} in {archive.series} could not be had"
            undecided.append(f"{said}: {str(error).splitlines()[0]}")
    return None


def _laid_out(tarball: Path, said: str, place: Path) -> Path:
    tree = place.parent / "later-tree"
    tree.mkdir(exist_ok=True)
    run(
        *("tar", "--extract", "--file", tarball, "--directory", tree),
        *("--no-same-owner", "--no-same-permissions"),
        timeout=_SECONDS,
    )
    place.mkdir()
    (place / "said").write_text(f"{said}\n", encoding="utf-8")
    theirs = tree / "debian" / "patches"
    if theirs.is_dir() and not theirs.is_symlink():
        shutil.copytree(theirs, place / "patches", symlinks=True)
        for path in (place / "patches").rglob("*"):
            if path.is_symlink():
                path.unlink()
    return place
