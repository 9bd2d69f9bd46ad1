"""Build a source package a second time in other surroundings, and say whether it is the same.

What both builds have in common is the source and, as far as they can be had, the versions that
the first one's .buildinfo names. Whatever comes of it, the first build stands: what is not
reproduced is told, and holds nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeAlias

from debian.deb822 import Changes

from toolsync.build.backend import Backend
from toolsync.build.difference import first_difference
from toolsync.build.job import Job
from toolsync.build.variation import CLOCK, PACKAGES, Variation, installed
from toolsync.model.errors import ToolsyncError
from toolsync.model.release import Blob, Finding, Rebuilt
from toolsync.system.programs import find
from toolsync.system.run import run
from toolsync.system.store import Store
from toolsync.system.work import remove_tree

REPRODUCED, DIFFERENT, NOT_BUILT = "reproduced", "different", "not built"
"""What `Rebuilt.verdict` says."""

Versions: TypeAlias = Mapping[str, str]
"""By package."""

_SECONDS = 900
_REPORT = 4 * 1024 * 1024
"""Bytes of diffoscope's report."""
_FEW = 3
"""Packages of other versions that are named."""


@dataclass(frozen=True, slots=True, kw_only=True)
class First:
    """The build that is repeated."""

    sources: tuple[Blob, ...]
    """The source package's files, the .dsc first."""
    debs: Sequence[Path]
    buildinfo: Path | None
    job: Job
    backend: Backend


def build_again(first: First, store: Store) -> Rebuilt:
    """Return what a second build came to; its log is appended to the first one's.

    Where it fails it is tried with less: without another clock, which not every build bears, and
    without the versions of the .buildinfo, which the archive may not have any longer.
    """
    known = installed(_text(first.buildinfo))
    failed: list[str] = []
    for number, varied in enumerate(_variations(first.backend, known)):
        folder = first.job.folder.parent / f"again-{number}"
        folder.mkdir()
        dsc, *_ = [store.copy_to(blob, folder) for blob in first.sources]
        log = folder.parent / f"{folder.name}.log"
        job = replace(first.job, dsc=dsc, folder=folder, log=log, varied=varied)
        try:
            made = first.backend.build(job)
        except ToolsyncError as error:
            failed.append(str(error).partition("\n")[0].rstrip(":"))
            remove_tree(folder)
        else:
            notes = tuple(_notes(made.changes, varied, known, failed))
            return replace(_compared(first, made.changes, varied, store), notes=notes)
        finally:
            _append(first.job.log, log, f"second build, {', '.join(varied.told())}")
    return Rebuilt(verdict=NOT_BUILT, statement=f"it could not be built again: {failed[0]}")


def findings_of(rebuilt: Rebuilt | None) -> tuple[Finding, ...]:
    """Return what a reader of the evidence should know: that a build was not reproduced."""
    if rebuilt is None or rebuilt.verdict == REPRODUCED:
        return ()
    code = "not-reproduced" if rebuilt.verdict == DIFFERENT else "not-built-again"
    said = rebuilt.statement
    return (Finding(stage="build", code=code, severity="risky", message=said),)


def _variations(backend: Backend, known: Versions) -> Iterator[Variation]:
    """Yield what to try, as far as the backend heeds it: all at once, then less."""
    packages = tuple(f"{name} (= {version})" for name, version in known.items())
    heeds = frozenset(backend.varies())
    tries = (heeds, heeds - {CLOCK}, heeds - {CLOCK, PACKAGES})
    yield from dict.fromkeys(Variation(packages=packages).only(names) for names in tries)


def _compared(first: First, changes: Path, varied: Variation, store: Store) -> Rebuilt:
    """Return in what the second build differs from the first."""
    again = {path.name: path for path in _debs(changes)}
    told = varied.told()
    alone = sorted({path.name for path in first.debs} ^ again.keys())
    if alone:
        said = f"not reproduced: {alone[0]} came of one of the two builds alone"
        return Rebuilt(verdict=DIFFERENT, statement=said, varied=told)
    for deb in first.debs:
        if how := first_difference(deb, again[deb.name], first.job.folder.parent):
            said = f"not reproduced: {deb.name} differs in {how}"
            report = _report(deb, again[deb.name], first.job, store)
            return Rebuilt(verdict=DIFFERENT, statement=said, varied=told, report=report)
    many = f"{len(again)} package{'s' if len(again) > 1 else ''}"
    said = f"reproduced: a second build ({', '.join(told) or 'nothing varied'}) gave the same bytes"
    return Rebuilt(verdict=REPRODUCED, statement=f"{said} of {many}", varied=told)


def _notes(changes: Path, varied: Variation, known: Versions, failed: list[str]) -> Iterator[str]:
    """Yield what was not varied or not kept, with what happened where that was tried."""
    why = f": with more varied, {failed[0]}" if failed else ""
    if not varied.days:
        yield f"the clock was not varied{why}"
    if failed and not varied.packages:
        yield f"the versions of the .buildinfo were not asked for{why}"
    again = installed(_text(next(iter(changes.parent.glob("*.buildinfo")), None)))
    names = sorted(known.keys() | again.keys())
    if others := [name for name in names if known.get(name) != again.get(name)]:
        few = (f"{n} {known.get(n, 'none')}, then {again.get(n, 'none')}" for n in others[:_FEW])
        yield f"{len(others)} build dependencies had other versions ({'; '.join(few)})"


def _report(one: Path, other: Path, job: Job, store: Store) -> Blob | None:
    """Return diffoscope's report of two packages, None where it is not there or gives none."""
    if find("diffoscope") is None:
        return None
    path = job.folder.parent / f"{one.stem}.diffoscope.txt"
    try:
        run(
            *("diffoscope", "--text", path, "--max-text-report-size", str(_REPORT)),
            *("--no-progress", one, other),
            timeout=_SECONDS,
            cwd=path.parent,
            env={"HOME": str(path.parent), "TMPDIR": str(path.parent)},
            ok=(0, 1),
            isolation=job.isolation,
        )
    except ToolsyncError:
        return None
    return store.add_file(path) if path.is_file() and path.stat().st_size <= 2 * _REPORT else None


def _debs(changes: Path) -> Iterator[Path]:
    files = Changes(changes.read_text(encoding="utf-8"))["Files"]
    names = (str(entry["name"]) for entry in files)
    yield from (changes.parent / n for n in names if n.endswith(".deb") and "/" not in n)


def _append(log: Path, more: Path, title: str) -> None:
    with log.open("ab") as sink:
        sink.write(f"\n==== {title}\n".encode())
        if more.exists():
            sink.write(more.read_bytes())


def _text(path: Path | None) -> str:
    return path.read_text(encoding="utf-8", errors="replace") if path else ""
