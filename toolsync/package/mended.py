"""Lay what an operator mended over the packaging of a release."""

from __future__ import annotations

import shutil
from pathlib import Path

from toolsync.config.definition import Tool
from toolsync.config.mended import PATCHES, file_digest, mended_for, patches_digest
from toolsync.model.errors import PackageFailed
from toolsync.model.release import Finding


def put_mended(tool: Tool, version: str, debian: Path) -> tuple[Finding, ...]:
    """Change a copy of the tool's debian/ as it was mended for ``version``, and say what was done.

    Patches that the packaging has changed since are its own again: it has met the release itself.
    Raises PackageFailed for another file that both have changed.
    """
    found = mended_for(tool.mended, version)
    if found is None:
        return ()
    before = {**found.files, **found.removed}
    if both := [name for name, was in before.items() if file_digest(tool.debian / name) != was]:
        raise PackageFailed(
            f"{tool.name}: its packaging has changed {', '.join(both[:3])}, which was mended here"
            f" for {found.version}",
            resolution=f"See what was mended in {tool.mended / 'debian'}; remove {tool.mended} to"
            f" go on without, or mend it anew: toolsync workspace {tool.name}",
        )
    for name in found.files:
        (debian / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(tool.mended / "debian" / name, debian / name)
    for name in found.removed:
        (debian / name).unlink(missing_ok=True)
    names = [*found.files, *found.removed]
    said = [f"mended here for {found.version}: {', '.join(sorted(names))}"] if names else []
    if found.patches and patches_digest(tool.debian) == found.patches:
        shutil.rmtree(debian / PATCHES, ignore_errors=True)
        if (tool.mended / "debian" / PATCHES).is_dir():
            shutil.copytree(tool.mended / "debian" / PATCHES, debian / PATCHES)
        said.append(f"patches are as mended here for {found.version}")
    elif found.patches:
        said.append(f"patches are the packaging's, which has changed them since {found.version}")
    return tuple(
        Finding(stage="package", code="mended", severity="info", message=text) for text in said
    )
