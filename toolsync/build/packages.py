"""Which binary packages a source package may make: those that its .dsc names, and their symbols.

A build runs upstream's programs, and a worker answers what it likes: either could bring a package
of another's name, which instances would then upgrade to (dpkg-genchanges only warns of it).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path

from debian.deb822 import Dsc

from toolsync.model.errors import PackageFailed
from toolsync.system.run import run

_SYMBOLS = "-dbgsym"


def named_by(dsc: Path) -> frozenset[str]:
    """Return the names of the packages that are built of a source package, by its .dsc."""
    text = dsc.read_text(encoding="utf-8", errors="replace")
    names = str(Dsc(text).get("Binary", "")).split(",")
    return frozenset(name.strip() for name in names if name.strip())


def is_own(name: str, named: Collection[str]) -> bool:
    """Say whether a binary package is one of them, or one's symbols (deb-src-control(5))."""
    return name in named or name.removesuffix(_SYMBOLS) in named


def require_own(dsc: Path, debs: Sequence[Path]) -> None:
    """Raise PackageFailed where a .deb holds a package that the .dsc does not name."""
    named = named_by(dsc)
    for deb in debs:
        told = run("dpkg-deb", "--field", deb, "Package", timeout=60, limit=1024 * 1024)
        name = told.out.strip()
        if not is_own(name, named):
            raise PackageFailed(
                f"the build made {deb.name}, which holds {name[:100]}; wanted one of"
                f" {', '.join(sorted(named))}, which {dsc.name} names",
                resolution="Look into debian/rules and upstream's build for what wrote it: it may"
                " be an attack. A package that is meant belongs into debian/control.",
            )
