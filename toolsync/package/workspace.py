"""Lay out a release with its packaging as a tree in which a person mends it, with quilt."""

from __future__ import annotations

import json
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path

from toolsync.config.definition import Tool
from toolsync.config.mended import (
    PATCHES,
    Mended,
    file_digest,
    patches_digest,
    write_mended,
)
from toolsync.config.packaging import packaging_files
from toolsync.model.errors import PackageFailed, UsageError
from toolsync.model.release import Licensed
from toolsync.package.mended import put_mended
from toolsync.package.patches import conflicts_told, listed, settle_patches
from toolsync.package.settler import Fate
from toolsync.package.stage import lay_out, put_packaging
from toolsync.system.run import run
from toolsync.system.store import Store
from toolsync.system.work import Workshop

_MARK = ".toolsync-workspace"
_SECONDS = 300
_QUILT = {"QUILT_PATCHES": "debian/patches", "QUILT_PUSH_ARGS": "--fuzz=0"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Workspace:
    """A tree that was laid out."""

    tool: str
    version: str
    """Upstream's."""
    applied: int = 0
    """Patches that quilt has applied."""
    conflicts: tuple[str, ...] = ()
    """Those that do not apply; quilt stands before the first."""


def open_tree(
    item: Licensed, tool: Tool, place: Path, *, store: Store, workshop: Workshop
) -> Workspace:
    """Lay the release out at ``place`` and apply patches up to the first that does not apply.

    Raises UsageError where something is there, ProgramMissing without quilt.
    """
    if place.exists():
        raise UsageError(
            f"{place} is there already; nothing in it is overwritten",
            resolution=f"Go on there and end with: toolsync workspace {tool.name} --done; or"
            " remove it, or name another folder with --output.",
        )
    with workshop.folder("workspace") as folder:
        tree = folder / "tree"
        _laid_out(item, tool, tree, folder, store)
        put_mended(tool, item.release.version, tree / "debian")
        fates = settle_patches(tree / "debian", tree, item.release.version, partly=True)
        names = listed(tree / "debian" / PATCHES / "series")
        lost = [fate.patch for fate in fates if fate.code == "patch-conflict"]
        until = names.index(lost[0]) if lost else len(names)
        if until:
            run("quilt", "push", str(until), cwd=tree, env=_QUILT, timeout=_SECONDS)
        found = Workspace(
            tool=tool.name, version=item.release.version, applied=until, conflicts=tuple(lost)
        )
        (tree / _MARK).write_text(json.dumps(asdict(found)), encoding="utf-8")
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copytree(tree, place, symlinks=True)
    return found


def marked(place: Path) -> Workspace | None:
    """Return what tree lies at ``place``; None where it is none of ours."""
    try:
        found = json.loads((place / _MARK).read_text(encoding="utf-8"))
        return Workspace(**{**found, "conflicts": tuple(found["conflicts"])})
    except (OSError, ValueError, TypeError, KeyError):
        return None


def take_back(
    item: Licensed, tool: Tool, place: Path, *, store: Store, workshop: Workshop
) -> Mended:
    """Take what was changed in a tree's debian/ and put it beside the tool.

    Raises UsageError where nothing was changed, PackageFailed where patches do not apply yet.
    """
    ours, theirs = packaging_files(tool.debian), packaging_files(place / "debian")
    kept = [name for name in theirs if not name.startswith(f"{PATCHES}/")]
    was = {name: file_digest(path) for name, path in ours.items()}
    changed = {n: was.get(n, "") for n in kept if file_digest(theirs[n]) != was.get(n, "")}
    removed = {
        name: digest
        for name, digest in was.items()
        if name not in theirs and not name.startswith(f"{PATCHES}/")
    }
    patched = patches_digest(place / "debian") != patches_digest(tool.debian)
    if not (changed or removed or patched):
        raise UsageError(
            f"nothing was changed in {place / 'debian'}",
            resolution="Mend the patch there (quilt push -f; edit; quilt refresh), then end with"
            " --done.",
        )
    _require_patches(item, tool, place, store, workshop)
    found = Mended(
        version=item.release.version,
        files=changed,
        removed=removed,
        patches=patches_digest(tool.debian) if patched else "",
    )
    _keep(found, place / "debian", tool.mended)
    return found


def _require_patches(
    item: Licensed, tool: Tool, place: Path, store: Store, workshop: Workshop
) -> tuple[Fate, ...]:
    """Return what becomes of the tree's patches; raise PackageFailed where any does not apply."""
    with workshop.folder("workspace") as folder:
        tree = folder / "tree"
        _laid_out(item, tool, tree, folder, store)
        shutil.rmtree(tree / "debian" / PATCHES, ignore_errors=True)
        if (place / "debian" / PATCHES).is_dir():
            shutil.copytree(place / "debian" / PATCHES, tree / "debian" / PATCHES)
        fates = settle_patches(tree / "debian", tree, item.release.version)
    if told := conflicts_told(fates):
        raise PackageFailed(
            f"{place} is not mended yet: {told}",
            resolution="Mend it there (quilt push -f; edit; quilt refresh), or leave it out"
            " (quilt delete), then end with --done.",
        )
    return fates


def _laid_out(item: Licensed, tool: Tool, tree: Path, folder: Path, store: Store) -> None:
    (packed := folder / "origs").mkdir()
    tarballs = [store.copy_to(blob, packed) for blob in item.unpacked.origs]
    lay_out(item, tree, tarballs, folder)
    put_packaging(tool.debian, tree)


def _keep(found: Mended, debian: Path, mended: Path) -> None:
    """Write what was mended, in place of what was before."""
    fresh = mended.parent / f".{mended.name}.new"
    shutil.rmtree(fresh, ignore_errors=True)
    for name in found.files:
        (fresh / "debian" / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(debian / name, fresh / "debian" / name)
    (fresh / "debian").mkdir(parents=True, exist_ok=True)
    if found.patches and (debian / PATCHES).is_dir():
        shutil.copytree(debian / PATCHES, fresh / "debian" / PATCHES)
    write_mended(fresh, found)
    shutil.rmtree(mended, ignore_errors=True)
    fresh.rename(mended)
