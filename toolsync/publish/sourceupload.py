"""Make the upload of a source package: signed, source only, always with the orig (``-sa``).

The .dsc is signed first, since the .changes states its digest. The signed files go into the
store: whatever is sent again is sent with the same bytes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from toolsync.model.errors import PackageFailed, ProgramFailed
from toolsync.model.release import Blob, SourcePackage, dump, load
from toolsync.system.run import run
from toolsync.system.signing import Signer
from toolsync.system.store import Store
from toolsync.system.work import Workshop


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceUpload:
    """What is uploaded: the .changes, the signed .dsc, and what that names."""

    changes: Blob
    dsc: Blob
    rest: tuple[Blob, ...]

    @property
    def files(self) -> tuple[Blob, ...]:
        """All of it, the .changes last."""
        return (self.dsc, *self.rest, self.changes)

    def noted(self) -> dict[str, object]:
        """Return its files by role, as a ledger keeps them."""
        return {"changes": dump(self.changes), "dsc": dump(self.dsc)}


def remembered(
    source: SourcePackage, detail: Mapping[str, Any], store: Store
) -> SourceUpload | None:
    """Return the upload that a ledger describes, None if there is none or its files are gone."""
    try:
        changes, dsc = load(Blob, detail["changes"]), load(Blob, detail["dsc"])
    except (KeyError, TypeError, ValueError):
        return None
    found = SourceUpload(changes=changes, dsc=dsc, rest=source.files[1:])
    return found if all(map(store.has, found.files)) else None


def prepare(
    source: SourcePackage, *, signer: Signer, env: Mapping[str, str], store: Store, shop: Workshop
) -> SourceUpload:
    """Sign a source package for upload; ``env`` is an opened signer's.

    Raises SetupError when the key cannot sign.
    """
    with shop.folder("sign") as folder:
        paths = [store.copy_to(blob, folder) for blob in source.files]
        signer.clearsign(paths[0], env)
        changes = _changes(folder, source)
        signer.clearsign(changes, env)
        return SourceUpload(
            changes=store.add_file(changes),
            dsc=store.add_file(paths[0]),
            rest=source.files[1:],
        )


def laid_out(upload: SourceUpload, store: Store, folder: Path) -> Path:
    """Put all files of an upload into a folder; return the path of the .changes there."""
    paths = [store.copy_to(blob, folder) for blob in upload.files]
    for path in paths:
        path.chmod(0o644)  # dput would log in once more to make it so
    return paths[-1]


def _changes(folder: Path, source: SourcePackage) -> Path:
    """Let dpkg write the .changes; it needs no more of the tree than debian/."""
    packaging = next(b.name for b in source.files if ".debian.tar." in b.name)
    tree = folder / "tree"
    tree.mkdir()
    plain = source.version.partition(":")[2] or source.version
    changes = folder / f"{source.name}_{plain}_source.changes"
    try:
        run("tar", "--extract", "--file", folder / packaging, "--directory", tree, timeout=300)
        run(
            *("dpkg-genchanges", "--build=source", "-sa", f"-O../{changes.name}"),
            cwd=tree,
            timeout=300,
        )
    except ProgramFailed as error:
        raise PackageFailed(
            f"no upload can be made of {source.name} {source.version}: {error}",
            resolution="Mend the tool's debian/.",
        ) from error
    return changes
