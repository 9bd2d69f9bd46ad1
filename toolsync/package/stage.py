"""Make the source package of a release for one series: 3.0 (quilt), the same bytes every time."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from toolsync.config.definition import Tool
from toolsync.config.later import Later, later_patches
from toolsync.config.packaging import NOT_PACKAGING, packaging_files
from toolsync.model.errors import PackageFailed, SetupError
from toolsync.model.release import Blob, Finding, Licensed, SourcePackage
from toolsync.package.changelog import changelog, entry_date
from toolsync.package.continued import armored, former_changelog, take_over, version_over
from toolsync.package.floors import lower_floors
from toolsync.package.mended import put_mended
from toolsync.package.patches import conflicts_told, settle_patches
from toolsync.package.placeholders import check_placeholders
from toolsync.package.pyproject import build_by_pyproject
from toolsync.package.settler import Fate
from toolsync.system.run import run
from toolsync.system.store import Store
from toolsync.system.work import Workshop, open_folders, remove_tree


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownOrig:
    """An orig that a target has for ever: of our orig's content, and other bytes."""

    orig: Blob
    target: str

    def finding(self, ours: Blob) -> Finding:
        """Return what the evidence says of it."""
        return Finding(
            stage="package",
            code="known-orig",
            severity="info",
            message=f"{self.target} has {self.orig.name} with sha256 {self.orig.sha256}, of the"
            f" same content as ours ({ours.name}, sha256 {ours.sha256}): theirs is used, since"
            " a file's name stands for the same bytes for ever",
        )


def package(
    item: Licensed,
    *,
    tool: Tool,
    series: str,
    content: str,
    revision: int,
    maintainer: str,
    store: Store,
    workshop: Workshop,
    known: KnownOrig | None = None,
) -> SourcePackage:
    """Return the source package, its files in the store.

    ``content`` is the digest of what goes in, ``revision`` the packaging's count; a ``known``
    orig of the same content takes the place of ours. Raises PackageFailed with the hunk where a
    patch does not apply, SetupError while a placeholder stands.
    """
    check_placeholders(tool.name, tool.folder, tool.debian)
    unpacked = item.unpacked
    orig, upstream = known.orig if known else unpacked.orig, unpacked.upstream
    former = former_changelog(tool.debian)
    version = version_over(former, upstream, series, revision, tool.epoch, origin=tool.origin)
    with workshop.folder("package") as folder:
        tree = folder / f"{tool.source}-{upstream}"
        tarballs = [store.copy_to(blob, folder) for blob in (orig, *unpacked.origs[1:])]
        lay_out(item, tree, tarballs, folder)
        mended, fates = _fitted(item, tool, tree, store)
        if former:
            mended = (*mended, *build_by_pyproject(tree, tree / "debian"))
            mended = (*mended, *lower_floors(tree / "debian", tool.origin, series))
            take_over(tree / "debian", maintainer)
            _keep_signatures(item, orig, tool, store, folder)
        log = changelog(
            item,
            source=tool.source,
            version=version,
            series=series,
            maintainer=maintainer,
            orig=orig,
            former=former,
            more=[*(finding.message for finding in mended), *(fate.sentence for fate in fates)],
        )
        made = _made(item, tool, tree, log, former, tarballs, store)
    told = (known.finding(unpacked.orig),) if known else ()
    return SourcePackage(
        licensed=item,
        series=series,
        name=tool.source,
        version=version,
        content=content,
        revision=revision,
        files=(*made, orig, *unpacked.origs[1:]),
        findings=(*told, *mended, *(fate.finding for fate in fates)),
    )


def _made(
    item: Licensed,
    tool: Tool,
    tree: Path,
    log: str,
    former: str,
    tarballs: Sequence[Path],
    store: Store,
) -> list[Blob]:
    """Make the source package of a tree with its changelog; return what is new, the .dsc first."""
    (tree / "debian" / "changelog").write_text(log, "utf-8", "surrogateescape")
    epoch = int(entry_date(item, former).timestamp())
    _settle(tree / "debian", epoch)
    _build(tree, epoch, tool)
    for tarball in tarballs:
        tarball.unlink()
    made = [store.add_file(path) for path in sorted(tree.parent.iterdir()) if path.is_file()]
    return sorted(made, key=lambda blob: not blob.name.endswith(".dsc"))


def _fitted(
    item: Licensed, tool: Tool, tree: Path, store: Store
) -> tuple[tuple[Finding, ...], tuple[Fate, ...]]:
    """Lay the packaging over the release; return what a person mended, and the patches' fates."""
    put_packaging(tool.debian, tree)
    if (notice := item.notice) is not None:
        store.copy_to(notice, tree / "debian", "copyright")
    mended = put_mended(tool, item.release.version, tree / "debian")
    return mended, _settle_patches(tree, tool, item.release.version)


def lay_out(item: Licensed, tree: Path, tarballs: Sequence[Path], folder: Path) -> None:
    """Unpack the orig tarballs, a component's into its folder, without upstream's own debian/."""
    main, *others = tarballs
    _unpack(main, tree, folder)
    remove_tree(tree / "debian")
    for part, tarball in zip(item.unpacked.components, others, strict=True):
        _unpack(tarball, tree / part.component, folder)


def _unpack(tarball: Path, tree: Path, folder: Path) -> None:
    """Lay an orig tarball out as dpkg-source does; `unpack` has proved it to be harmless.

    The one folder that holds everything is the tree; where there is none, the whole is.
    """
    shutil.rmtree(tree, ignore_errors=True)
    with tempfile.TemporaryDirectory(prefix=".unpack-", dir=folder) as name:
        place = Path(name) / "tree"
        place.mkdir()
        run(
            *("tar", "--extract", "--file", tarball, "--directory", place),
            *("--no-same-owner", "--no-same-permissions"),
            timeout=600,
        )
        open_folders(place)
        inside = list(place.iterdir())
        only = inside[0] if len(inside) == 1 else place
        (only if only.is_dir() and not only.is_symlink() else place).rename(tree)


def put_packaging(ours: Path, tree: Path) -> None:
    """Copy the tool's debian/ into the tree; links are followed, but for those into the tree.

    Raises SetupError for a link that leads nowhere, in the tool's folder and in the tree.
    """
    debian = tree / "debian"
    found = packaging_files(ours)
    left_out = shutil.ignore_patterns(*NOT_PACKAGING)

    def ignored(folder: str, names: list[str]) -> set[str]:
        # shutil's own look at a dangling link is from the current folder, not from the link's.
        return left_out(folder, names) | {n for n in names if not (Path(folder) / n).exists()}

    shutil.copytree(ours, debian, ignore=ignored)
    open_folders(debian)
    for name, path in found.items():
        if path.exists():
            continue
        place, target = debian / name, path.readlink()
        place.symlink_to(target)
        if not place.exists() or not place.resolve().is_relative_to(tree.resolve()):
            raise SetupError(
                f"{path} is a link to {target}, which is neither there nor in the release",
                resolution="Mend the link, or put the file in its place.",
            )
    form = debian / "source" / "format"
    form.parent.mkdir(exist_ok=True)
    form.write_text("3.0 (quilt)\n", encoding="ascii")


def _settle(debian: Path, epoch: int) -> None:
    """Give every file the one date and plain modes, whatever the checkout or umask was."""
    for path in sorted(debian.rglob("*"), reverse=True):
        if path.is_symlink():
            continue
        executable = path.is_dir() or os.access(path, os.X_OK) or path.name == "rules"
        path.chmod(0o755 if executable else 0o644)
        os.utime(path, (epoch, epoch))
    os.utime(debian, (epoch, epoch))


def _build(tree: Path, epoch: int, tool: Tool) -> None:
    """Run dpkg-source; raise PackageFailed with its words where it fails."""
    done = run(
        *("dpkg-source", "--build", tree.name),
        cwd=tree.parent,
        env={"SOURCE_DATE_EPOCH": str(epoch), "TZ": "UTC"},
        timeout=900,
        ok=range(256),
    )
    if done.code == 0:
        return
    raise _failed(tool, done.tail)


def _failed(tool: Tool, what: str) -> PackageFailed:
    return PackageFailed(
        f"{tool.name}: its source package could not be made: {what}",
        resolution=f"Open a tree to mend it in: toolsync workspace {tool.name}",
    )


def _settle_patches(tree: Path, tool: Tool, version: str) -> tuple[Fate, ...]:
    """Return which patches are left out or refreshed; raise PackageFailed for all that conflict."""
    fates = settle_patches(tree / "debian", tree, version)
    told = conflicts_told(fates)
    if told and (later := later_patches(tool.folder, version)) is not None:
        theirs = _settle_later(tree, later, version, fates)
        if theirs is not None:
            return theirs
        told += f"\nThose of {later.version} in {later.series} do not apply either."
    if told:
        raise _failed(tool, told)
    return fates


def _settle_later(
    tree: Path, later: Later, version: str, lost: Sequence[Fate]
) -> tuple[Fate, ...] | None:
    """Put a later packaging's patches in place of ours, all of them; None where any conflicts."""
    ours = tree / "debian" / "patches"
    kept = ours.rename(tree.parent / "patches-before")
    if later.patches.is_dir():
        shutil.copytree(later.patches, ours)
    fates = settle_patches(tree / "debian", tree, version)
    if conflicts_told(fates):
        shutil.rmtree(ours)
        kept.rename(ours)
        return None
    shutil.rmtree(kept)
    names = ", ".join(fate.patch for fate in lost if fate.code == "patch-conflict")
    said = f"packaging {later.version} in {later.series}"
    return (Fate(patch=names, code="patches-later", why=said, surely=False), *fates)


def _keep_signatures(item: Licensed, orig: Blob, tool: Tool, store: Store, folder: Path) -> None:
    """Lay upstream's signatures beside the orig tarballs that they are of.

    That is where debian/upstream has the keys; a tarball that was repacked has none.
    """
    verified = item.unpacked.verified
    origs = (orig, *item.unpacked.origs[1:])
    for part, proof, tarball in zip(verified.fetched.parts, verified.proofs, origs, strict=True):
        blob = next((extra for extra in part.extras if extra.name == "signature"), None)
        same = part.archive.sha256 == tarball.sha256 and proof.fingerprint and not proof.plain
        if blob is None or not same or not tool.carried_keys:
            continue
        if text := armored(store.path(blob).read_bytes()):
            (folder / f"{tarball.name}.asc").write_bytes(text)
