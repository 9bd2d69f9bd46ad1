"""What was changed of a tool's debian/ in a workspace, for one release and those after it.

It lies beside the tool, in ``mended/``: ``of.json`` says for which release and of which files it
was made, ``debian/`` holds them as they are now. Packaging that comes anew stays as its maintainer
left it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

from toolsync.config.packaging import packaging_files
from toolsync.model.errors import SetupError
from toolsync.model.versions import upstream_key

PATCHES = "patches"
_OF = "of.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Mended:
    """What was changed; digests are of the packaging's own files at that time."""

    version: str
    """Upstream's, of the release that it was made for."""
    files: Mapping[str, str] = field(default_factory=dict)
    """Each file that was changed or added, by its path below debian/; an added one has ``""``."""
    removed: Mapping[str, str] = field(default_factory=dict)
    patches: str = ""
    """Of all patches together, where these were changed."""


def mended_for(place: Path, release: str) -> Mended | None:
    """Return what counts for a release of what lies in ``place``; SetupError for another form."""
    path = place / _OF
    if not path.is_file():
        return None
    try:
        found = Mended(**json.loads(path.read_text(encoding="utf-8")))
        counts = upstream_key(found.version) <= upstream_key(release)
    except (OSError, TypeError, ValueError, AttributeError) as error:
        raise SetupError(
            f"{path} cannot be read: {error}",
            resolution=f"Remove {place} and mend anew: toolsync workspace TOOL",
        ) from error
    return found if counts else None


def write_mended(place: Path, found: Mended) -> None:
    """Say in ``place`` what lies there."""
    text = json.dumps(asdict(found), indent=1, sort_keys=True)
    (place / _OF).write_text(f"{text}\n", encoding="utf-8")


def mended_digest(place: Path, release: str) -> str:
    """Return a digest over what counts for a release; empty where nothing does."""
    if mended_for(place, release) is None:
        return ""
    return hashlib.sha256(_rows(place, [place / _OF, *_below(place / "debian")])).hexdigest()


def patches_digest(debian: Path) -> str:
    """Return a digest over debian/patches."""
    return hashlib.sha256(_rows(debian, _below(debian / PATCHES))).hexdigest()


def file_digest(path: Path) -> str:
    """Return the SHA-256 of a packaging's file; empty where there is none."""
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""


def _below(folder: Path) -> list[Path]:
    return list(packaging_files(folder).values()) if folder.is_dir() else []


def _rows(place: Path, files: list[Path]) -> bytes:
    rows = (f"{path.relative_to(place)}\0{file_digest(path)}\n" for path in files)
    return "".join(rows).encode(errors="surrogateescape")
