"""Patches as a later series' packaging of the same source package has them, beside a tool's own.

They lie in ``later/`` of a tool's folder: ``said`` names series and version, ``patches/`` is that
packaging's debian/patches. They are tried where the tool's own do not apply to a release.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

from toolsync.model.versions import upstream_key

_SAID = re.compile(r"([a-z]+) (\S{1,200})")
_REPACKED = re.compile(r"[+~.-](?:dfsg|ds|repack|debian|really)[\d.]*")
"""What a version has where its orig tarball is not upstream's own (Developer's Reference 6.7.8)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Later:
    """The patches of a later series' packaging."""

    series: str
    version: str
    """The packaging's own, a full Debian version."""
    patches: Path

    @property
    def upstream(self) -> str:
        """The upstream version that they are made for."""
        return upstream_of(self.version)


def upstream_of(version: str) -> str:
    """Return upstream's own version of a full Debian version: without what repacking adds."""
    bare = version.partition(":")[2] or version
    return without_suffix(bare.rpartition("-")[0] or bare)


def without_suffix(upstream: str) -> str:
    """Return an orig tarball's version without what repacking adds."""
    return _REPACKED.sub("", upstream)


def later_patches(folder: Path, release: str) -> Later | None:
    """Return what lies in a tool's folder, if it is made for no newer version than ``release``."""
    try:
        said = _SAID.fullmatch((folder / "later" / "said").read_text(encoding="utf-8").strip())
    except (OSError, ValueError):
        return None
    if said is None:
        return None
    found = Later(series=said[1], version=said[2], patches=folder / "later" / "patches")
    return found if upstream_key(found.upstream) <= upstream_key(release) else None


def later_digest(folder: Path) -> str:
    """Return a digest over what lies there; empty where there is nothing."""
    place = folder / "later"
    rows = [
        f"{path.relative_to(place)}\0{hashlib.sha256(path.read_bytes()).hexdigest()}\n"
        for path in sorted(place.rglob("*"))
        if path.is_file()
    ]
    text = "".join(rows).encode(errors="surrogateescape")
    return hashlib.sha256(text).hexdigest() if rows else ""
