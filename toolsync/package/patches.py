"""Settle debian/patches for a release before dpkg-source applies them.

A patch whose change the release has is left out, one whose lines have moved is refreshed. What is
left does not apply, and waits for a person: all such patches are told, with the hunks that fail.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path

from toolsync.package.hunks import Patch, read_patch
from toolsync.package.settler import Fate, Settler

_TOLD = 6000
"""Characters of hunks that are told of all patches together; of the others their places alone."""


def settle_patches(
    debian: Path, tree: Path, version: str, *, partly: bool = False
) -> tuple[Fate, ...]:
    """Rewrite ``debian``'s patches for the release in ``tree``, and return what became of which.

    ``version`` is upstream's.
    Where any does not apply, nothing is rewritten; ``partly`` those before it are. What cannot be
    read as a unified patch below the tree is left to dpkg-source.
    """
    series = debian / "patches" / "series"
    names = listed(series)
    if not names:
        return ()
    patches = [_read(series.parent / name, name) for name in names]
    if not all(patch and patch.is_inside and not _links(tree, patch.names) for patch in patches):
        return ()
    known = [patch for patch in patches if patch is not None]
    with tempfile.TemporaryDirectory(prefix=".patches-", dir=tree.parent) as place:
        settler = Settler(Path(place), tree, version, known)
        fates = settler.fates()
        lost = [fate.patch for fate in fates if fate.code == "patch-conflict"]
        sure = names[: names.index(lost[0])] if lost and partly else [] if lost else names
        for name in set(sure) & settler.refreshed.keys():
            (series.parent / name).write_bytes(settler.refreshed[name])
        there = [f.patch for f in fates if f.code == "patch-upstream" and f.patch in sure]
        _leave_out(series, there)
    return fates


def listed(series: Path) -> list[str]:
    """Return the patches that a series file names, in their order."""
    if not series.is_file():
        return []
    lines = series.read_text(encoding="utf-8", errors="surrogateescape").splitlines()
    return [words[0] for line in lines if (words := line.partition("#")[0].split())]


def conflicts_told(fates: Iterable[Fate]) -> str:
    """Return all that does not apply, each patch with its hunks and where upstream has it."""
    lost = [fate for fate in fates if fate.code == "patch-conflict"]
    if not lost:
        return ""
    told: list[str] = []
    left = _TOLD
    for fate in lost:
        hunks = f"\n{fate.hunks}" if fate.hunks and len(fate.hunks) <= left else ""
        left -= len(hunks)
        told.append(f"{fate.patch}: {fate.why}{hunks}" + (f"\n  {fate.link}" if fate.link else ""))
    if len(lost) == 1:
        return f"a patch does not apply: {told[0]}"
    return f"{len(lost)} patches do not apply:\n" + "\n".join(told)


def _read(path: Path, name: str) -> Patch | None:
    return read_patch(name, path.read_bytes()) if path.is_file() else None


def _links(tree: Path, names: Iterable[str]) -> bool:
    """Say whether any of the files is reached by a link, where patch(1) would refuse."""
    root = tree.resolve()
    return any((path := root / name).resolve() != path for name in names)


def _leave_out(series: Path, names: Sequence[str]) -> None:
    if not names:
        return
    lines = series.read_text(encoding="utf-8", errors="surrogateescape").splitlines(keepends=True)
    kept = [
        line for line in lines if line.partition("#")[0].split()[:1] not in [[n] for n in names]
    ]
    series.write_text("".join(kept), "utf-8", "surrogateescape")
    for name in names:
        (series.parent / name).unlink()
    if not listed(series):
        series.unlink()
