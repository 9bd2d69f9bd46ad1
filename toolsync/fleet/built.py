"""Judge what a worker says it has built: nothing is believed that can be looked at here.

A worker is on another machine and may be anybody's by now. What it says was built is compared with
what was asked for: the .changes is of that source package, version and series, names the very
source files, and all that it names has the digests and sizes that it states; each .deb is of that
source and version, for an architecture that was asked for. What a build made of the right source
is in the end the worker's word: who runs workers decides whose machines those are.
"""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from debian.deb822 import Changes, Deb822

from toolsync.build.stage import Product
from toolsync.fleet.checks import read_value, require_blob, require_files
from toolsync.model.errors import Damaged, Hostile, ProgramFailed
from toolsync.model.values import Blob
from toolsync.system.run import run
from toolsync.system.store import Store

_CHANGES = 4 * 1024 * 1024
_LOG = 512 * 1024 * 1024
_TEXT = 20_000
"""Characters of a sentence."""
_FINDINGS = 2000


class Source(Protocol):
    """What is to be known of the source package that was to be built."""

    @property
    def name(self) -> str:
        """Its name."""

    @property
    def version(self) -> str:
        """Its full version."""

    @property
    def series(self) -> str:
        """The series that it was to be built for."""

    @property
    def architecture(self) -> str:
        """The architecture, beside ``all``."""

    @property
    def files(self) -> tuple[Blob, ...]:
        """The .dsc first, then what it names."""


def judged(asked: Source, data: object, store: Store) -> Product:
    """Return what a worker says it made, all of it in the store; raises Hostile for a lie."""
    made = read_value(Product, data, "something made")
    texts = [made.builder, made.tests, *(finding.message for finding in made.findings)]
    if len(made.findings) > _FINDINGS or any(len(text) > _TEXT for text in texts):
        raise Hostile(f"{len(made.findings)} findings, or a sentence of over {_TEXT} characters")
    require_files(made.files)
    require_blob(made.changes, _CHANGES)
    require_blob(made.log, _LOG)
    if made.buildinfo is not None:
        require_blob(made.buildinfo, _LOG)
    known = {blob.name: blob for blob in made.files}
    for blob in asked.files:
        if known.get(blob.name) != blob:
            raise Hostile(f"it changed or lost {blob.name} of the source package")
    try:
        _require_changes(asked, made, store)
        for blob in made.files:
            if blob.name.endswith((".deb", ".udeb")):
                _require_deb(asked, store.path(blob))
        others = (made.log, *((made.buildinfo,) if made.buildinfo else ()))
        for blob in (*made.files, *others):
            store.require(blob)
    except Damaged as error:
        raise Hostile(f"what it says is in the store is not: {error}") from error
    return made


def _require_changes(asked: Source, made: Product, store: Store) -> None:
    try:
        text = store.path(made.changes).read_text(encoding="utf-8")
        changes = Changes(text)
        sums = {e["name"]: (e["sha256"], int(e["size"])) for e in changes["Checksums-Sha256"]}
        of = (changes["Source"], changes["Version"], changes["Distribution"])
    except (ValueError, KeyError, TypeError) as error:
        raise Hostile(f"{made.changes.name} is no .changes: {str(error)[:500]}") from error
    if of != (wanted := (asked.name, asked.version, asked.series)):
        raise Hostile(f"{made.changes.name} is of {' '.join(of)[:300]}, wanted {' '.join(wanted)}")
    if sums != {blob.name: (blob.sha256, blob.size) for blob in made.files}:
        raise Hostile(f"{made.changes.name} names other files than it says it made")
    if not any(name.endswith(".deb") for name in sums):
        raise Hostile(f"{made.changes.name} names no .deb")


def _require_deb(asked: Source, path: Path) -> None:
    fields = ("Package", "Source", "Version", "Architecture")
    try:
        told = run("dpkg-deb", "--field", path, *fields, timeout=60, limit=1024 * 1024).out
    except ProgramFailed as error:
        raise Hostile(f"a .deb that dpkg-deb cannot read: {str(error)[:500]}") from error
    control = Deb822(told)
    source, _, version = control.get("Source", control.get("Package", "")).partition(" ")
    version = version.strip("()") or control.get("Version", "")
    if (source, version) != (asked.name, asked.version):
        raise Hostile(f"a .deb of {source[:100]} {version[:100]}")
    if control.get("Architecture") not in (asked.architecture, "all"):
        raise Hostile(f"a .deb for {control.get('Architecture', '')[:50]}")
