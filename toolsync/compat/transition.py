"""Tell a library's new ABI under a new name from one that takes the old away.

Debian Policy 8.1: a shared library's package is named by its soname, so that packages of both ABIs
are installed side by side. Where the old one is a distribution's, it stays in that archive for all
that was built against it, and nobody misses it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from toolsync.compat.change import Change
from toolsync.compat.surface import Surface
from toolsync.config.definition import Tool

_SONAME = re.compile(r"(?P<stem>.+?)(?:\.so\.(?P<after>[\w.]+)|-(?P<inside>\d[\d.]*)\.so)")


def package_named(soname: str) -> str:
    """Return the name that Policy gives a shared library's package; empty for another soname."""
    match = _SONAME.fullmatch(soname)
    if match is None:
        return ""
    stem, version = match["stem"], match["after"] or match["inside"]
    mark = "-" if stem[-1].isdigit() or match["inside"] else ""
    return f"{stem}{mark}{version}".lower().replace("_", "-")


def side_by_side(changes: Sequence[Change], old: Surface, new: Surface) -> tuple[Change, ...]:
    """Return the changes; of libraries whose packages go on beside the new ones, as additive.

    Where a library has another soname in a package of the old name, the name that it needs is told.
    """
    beside = dict(_beside(old, new))
    changes = [_to_rename(change, old, new) for change in changes]
    names = {("library", soname) for soname in beside}
    names |= {("package", package_named(soname)) for soname in beside}
    later = {package_named(soname): package_named(now) for soname, now in beside.items()}
    return tuple(
        replace(change, severity="additive", proof=_proof(change, beside, later))
        if change.severity == "breaking" and (change.kind, change.name) in names
        else change
        for change in changes
    )


def as_the_distribution_has(
    changes: Sequence[Change], new: Surface, tool: Tool
) -> tuple[Change, ...]:
    """Return the changes; types and dependencies, where a distribution has the same packages of it.

    A library's package keeps its name where its maintainers have found that programs built against
    the old one go on with the new one (Debian Policy 8.1 and 8.6); text alone does not tell that.
    What its packages depend on they have chosen, and the series has it: they were installed there.
    """
    packages = new.of("package").keys()
    if not packages or not packages <= set(tool.main_packages):
        return tuple(changes)
    why = f"a distribution has {tool.in_main} in packages of the same names"
    return tuple(
        replace(change, severity="info", proof=f"{change.proof} (risky, but {why})")
        if change.kind in ("type", "dependency") and change.severity == "risky"
        else change
        for change in changes
    )


def _to_rename(change: Change, old: Surface, new: Surface) -> Change:
    """Return a library's change with the name that its package must have, where it kept the old."""
    before = package_named(change.name)
    if change.kind != "library" or change.severity != "breaking" or not before:
        return change
    sonames = new.of("library").keys() - old.of("library").keys()
    now = next((name for name in sorted(sonames) if _stem(name) == _stem(change.name)), "")
    if not now or before not in new.of("package"):
        return change
    proof = (
        f"{change.proof}; it is {now} now, so that {before} must be renamed {package_named(now)}"
        " in debian/control and in the names of its files (Debian Policy 8.1)"
    )
    return replace(change, proof=proof)


def _stem(soname: str) -> str:
    match = _SONAME.fullmatch(soname)
    return match["stem"] if match else ""


def _beside(old: Surface, new: Surface) -> Iterator[tuple[str, str]]:
    """Yield the sonames of the old release that stay beside others, each with its successor."""
    for soname in old.of("library").keys() - new.of("library").keys():
        before = package_named(soname)
        for now in sorted(new.of("library").keys() - old.of("library").keys()):
            after = package_named(now)
            if (
                _stem(now) == _stem(soname) != ""
                and before in old.of("package").keys() - new.of("package").keys()
                and after in new.of("package").keys() - old.of("package").keys()
                and before not in new.of("package")[after].split()
            ):
                yield soname, now


def _proof(change: Change, beside: dict[str, str], later: dict[str, str]) -> str:
    now = beside.get(change.name) or later[change.name]
    return f"the distribution's stays, to be installed beside {now}, which has another ABI"
