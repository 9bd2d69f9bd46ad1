"""What the gates would have kept of the release whose packaging is adopted.

The next release is then compared with what the distribution's users have: with the terms of its
orig tarball, which the review of the distribution's archive has let into main, and with what its
binary packages install.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from toolsync.adopt.packaging import Packaging, source_beside
from toolsync.adopt.vouched import Vouched
from toolsync.build.archives import Archive
from toolsync.compat.archives import installed
from toolsync.config.licensing import LicensePolicy
from toolsync.license.policy import Policy
from toolsync.license.terms import to_json
from toolsync.license.trees import terms_of
from toolsync.model.errors import ToolsyncError
from toolsync.model.versions import upstream_key
from toolsync.pipeline.context import Context
from toolsync.system.store import replace_file
from toolsync.watchfile.folder import Package


@dataclass(frozen=True, slots=True, kw_only=True)
class Former:
    """A source package, and what the distribution built of it."""

    package: Package
    dsc: Path | None
    """Its orig tarballs lie beside it."""
    debs: tuple[Path, ...] = ()
    is_main: bool = False
    """Whether an archive has it, in its component main."""


def former_of(
    packaging: Packaging, archives: Sequence[Archive], series: Sequence[str], folder: Path
) -> Former:
    """Return what there is of the release that users have.

    That is what the first of ``series`` that has the package serves, where it is not newer than the
    packaging; else the release that the packaging itself is of.
    """
    package = packaging.package
    for name in series:
        for archive in (one for one in archives if one.series == name):
            for known in archive.sources(package.name)[:1]:
                there = Package(name=package.name, version=known.version)
                if upstream_key(there.upstream) < upstream_key(package.upstream):
                    return _served(there, archive, folder / "served")
    return own_former(packaging, archives, folder)


def _served(package: Package, archive: Archive, folder: Path) -> Former:
    (known, *_) = archive.sources(package.name)
    try:
        dsc = archive.source(package.name, known.version, folder)
    except ToolsyncError:
        dsc = None
    debs = archive.binaries(known.binaries, folder / "debs")
    return Former(package=package, dsc=dsc, debs=debs, is_main=known.is_main)


def own_former(packaging: Packaging, archives: Sequence[Archive], folder: Path) -> Former:
    """Return what there is of the release that the packaging is of."""
    dsc = source_beside(packaging, archives, folder / "former")
    debs: tuple[Path, ...] = ()
    main = False
    for archive in archives:
        for known in archive.sources(packaging.package.name):
            if known.version == packaging.package.version and not debs:
                main = main or known.is_main
                debs = archive.binaries(known.binaries, folder / "debs")
    return Former(package=packaging.package, dsc=dsc, debs=debs, is_main=main)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bases:
    """What gates are to compare the first release with, as files by their names."""

    files: Mapping[str, bytes] = field(default_factory=dict)

    def write(self, folder: Path) -> None:
        """Put them into a tool's folder, in place of what is there."""
        place = folder / "base"
        place.mkdir(parents=True, exist_ok=True)
        for path in place.glob("*.json"):
            if path.name not in self.files:
                path.unlink()
        for name, data in self.files.items():
            replace_file(place / name, data)


def bases_of(
    context: Context,
    former: Former,
    undecided: list[str],
    tell: Callable[[str], None],
) -> Bases:
    """Return what can be known; what cannot is said in ``undecided``, and nothing is raised."""
    name, version, config = former.package.name, former.package.upstream, context.config
    files: dict[str, bytes] = {}
    orig = former.dsc and _orig_beside(former.dsc, name, version)
    if former.is_main and orig:
        tell(f"reading the terms of {orig.name}")
        try:
            terms = terms_of(orig, workshop=context.workshop, limits=config.limits,
                             cache=config.licenses)  # fmt: skip
            files[f"license_{version}.json"] = to_json(terms)
        except ToolsyncError as error:
            undecided.append(f"with which terms to compare is not known: {error}")
    if former.debs:
        tell(f"reading what {len(former.debs)} binary packages of {version} install")
        try:
            surface = installed(former.debs, config=config)
            files[f"compat_{version}.json"] = surface.to_json()
        except ToolsyncError as error:
            undecided.append(f"with which commands and files to compare is not known: {error}")
    return Bases(files=files)


def known_terms(context: Context, found: Vouched, undecided: list[str]) -> tuple[str, ...]:
    """Return the texts, by fingerprint, that a distribution has in main and no class here knows."""
    if not found.main or found.tarball is None:
        return ()
    config = context.config
    try:
        terms = terms_of(found.tarball, workshop=context.workshop, limits=config.limits,
                         cache=config.licenses)  # fmt: skip
    except ToolsyncError as error:
        undecided.append(f"its terms could not be read: {error}")
        return ()
    policy = Policy(tool=LicensePolicy(), classes=config.license)
    texts = {text.fingerprint for text in (*terms.mains, *terms.nested)}
    return tuple(sorted(policy.known_to_main(terms) & texts))


def _orig_beside(dsc: Path, name: str, version: str) -> Path | None:
    found = dsc.parent.glob(f"{name}_*.orig.tar.*")
    return next((path for path in found if path.suffix != ".asc"
                 and path.name.startswith(f"{name}_{version}.orig.tar.")), None)  # fmt: skip
