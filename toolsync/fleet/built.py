"""Judge what a worker says it has built: nothing is believed that can be looked at here.

A worker is on another machine and may be anybody's by now. What it says was built is compared with
what was asked for: the .changes is of that source package, version and series (`fleet.changes`),
names the very source files, and all that it names has the digests and sizes that it states; each
.deb is one that the .dsc names, of the version and for an architecture that were asked for. What a
build made of the right source is in the end the worker's word: who runs workers decides whose
machines those are.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Protocol

from debian.deb822 import Deb822

from toolsync.build.again import DIFFERENT, NOT_BUILT, REPRODUCED
from toolsync.build.packages import is_own, named_by
from toolsync.build.stage import Product
from toolsync.fleet.changes import require_changes
from toolsync.fleet.checks import read_value, require_blob, require_files
from toolsync.model.errors import Damaged, Hostile, ProgramFailed
from toolsync.model.release import Rebuilt
from toolsync.model.values import Blob, Finding
from toolsync.system.run import run
from toolsync.system.store import Store

_CHANGES = 4 * 1024 * 1024
_LOG = 512 * 1024 * 1024
_REPORT = 8 * 1024 * 1024
"""Bytes of what diffoscope says."""
_TEXT = 20_000
"""Characters of a sentence."""
_FINDINGS, _NOTES = 2000, 100
_CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9:._+/-]{0,199}")
_SEVERITIES = ("info", "additive", "risky", "breaking", "unknown")
_BINARIES = (".deb", ".udeb", ".ddeb")
"""Ends the name of a package that debhelper makes beside another one."""


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
        """The architecture."""

    @property
    def alone(self) -> bool:
        """Whether packages for all architectures are made elsewhere, and none are wanted."""

    @property
    def files(self) -> tuple[Blob, ...]:
        """The .dsc first, then what it names."""


def judged(asked: Source, data: object, store: Store) -> Product:
    """Return what a worker says it made, all of it in the store; raises Hostile for a lie."""
    made = read_value(Product, data, "something made")
    _require_words(made)
    _require_blobs(asked, made)
    others = [made.log, made.buildinfo, made.rebuilt.report if made.rebuilt else None]
    try:
        require_changes(asked, made, store)
        binaries = named_by(store.path(asked.files[0]))
        for blob in made.files:
            if blob.name.endswith(_BINARIES):
                _require_deb(asked, blob, store, binaries)
        for kept in (*made.files, *others):
            if kept is not None:
                store.require(kept)
    except Damaged as error:
        raise Hostile(f"what it says is in the store is not: {error}") from error
    return made


def _require_words(made: Product) -> None:
    """Raise Hostile where it says more than a build does, or something that none says."""
    texts = [made.builder, made.tests, *(finding.message for finding in made.findings)]
    if made.rebuilt is not None:
        texts += _texts(made.rebuilt)
    if len(made.findings) > _FINDINGS or any(len(text) > _TEXT for text in texts):
        raise Hostile(f"{len(made.findings)} findings, or a sentence of over {_TEXT} characters")
    for finding in made.findings:
        _require_finding(finding)


def _texts(rebuilt: Rebuilt) -> list[str]:
    """Return what is said of a second build; raises Hostile where none says that."""
    if rebuilt.verdict not in (REPRODUCED, DIFFERENT, NOT_BUILT):
        raise Hostile(f"a second build that is {rebuilt.verdict[:50]!r}")
    if len(rebuilt.varied) + len(rebuilt.notes) > _NOTES:
        raise Hostile(f"a second build with {len(rebuilt.varied) + len(rebuilt.notes)} notes")
    return [rebuilt.statement, *rebuilt.varied, *rebuilt.notes]


def _require_finding(finding: Finding) -> None:
    """Raise Hostile unless a build can have found this."""
    known = finding.stage == "build" and finding.severity in _SEVERITIES
    if not known or not _CODE.fullmatch(finding.code):
        said = f"{finding.severity[:50]}, {finding.code[:50]} of {finding.stage[:50]}"
        raise Hostile(f"a finding that no build has: {said}")


def _require_blobs(asked: Source, made: Product) -> None:
    """Raise Hostile unless names and sizes can be true, and the source files are the very ones."""
    require_files(made.files)
    known = {blob.name: blob for blob in made.files}
    for blob in asked.files:
        if known.get(blob.name) != blob:
            raise Hostile(f"it changed or lost {blob.name} of the source package")
    sources = {blob.name for blob in asked.files}
    for name in known.keys() - sources:
        if not name.endswith(_BINARIES):
            raise Hostile(f"{name}, which is neither of the source package nor a binary one")
    report = made.rebuilt.report if made.rebuilt else None
    # It tells for which architecture a build was (`Built.made_for`).
    changes = f"_{asked.architecture}.changes"
    beside = ((made.changes, changes, _CHANGES), (made.log, ".build", _LOG))
    for one, suffix, most in (*beside, (made.buildinfo, ".buildinfo", _LOG), (report, "", _REPORT)):
        if one is None:
            continue
        require_blob(one, most)
        if not one.name.endswith(suffix) or one.name in known:
            raise Hostile(f"{one.name}, wanted another name, that ends in {suffix}")


def _require_deb(asked: Source, blob: Blob, store: Store, binaries: Collection[str]) -> None:
    fields = ("Package", "Source", "Version", "Architecture")
    path = store.path(blob)
    try:
        told = run("dpkg-deb", "--field", path, *fields, timeout=60, limit=1024 * 1024).out
    except ProgramFailed as error:
        raise Hostile(f"a .deb that dpkg-deb cannot read: {str(error)[:500]}") from error
    control = Deb822(told)
    name, version, architecture = (control.get(f, "") for f in ("Package", *fields[2:]))
    source, _, of = control.get("Source", name).partition(" ")
    of = of.strip("()") or version
    if (source, of, version) != (asked.name, asked.version, asked.version):
        raise Hostile(f"a .deb of {source[:100]} {of[:100]} as {version[:100]}")
    if not is_own(name, binaries):
        raise Hostile(f"a .deb of the package {name[:100]}, which {asked.files[0].name} has not")
    if architecture not in (asked.architecture, *(() if asked.alone else ("all",))):
        raise Hostile(f"a .deb for {architecture[:50]}, wanted {asked.architecture}")
    plain = version.partition(":")[2] or version
    if blob.name.rpartition(".")[0] != f"{name}_{plain}_{architecture}":
        raise Hostile(f"{blob.name}, which is {name} {version} for {architecture}")
