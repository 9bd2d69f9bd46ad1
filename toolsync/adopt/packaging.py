"""Existing Debian packaging, from wherever it is named: a folder, a .dsc, an archive, a branch."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from toolsync.adopt.contained import require_contained
from toolsync.build.archives import Archive
from toolsync.config.definition import origin_of
from toolsync.model.errors import SetupError, ToolsyncError, Unreachable, UsageError
from toolsync.system import git
from toolsync.system.run import run
from toolsync.system.store import digest_of
from toolsync.watchfile.folder import Package, package_of

_SECONDS = 600
_DEBIAN = re.compile(r".+\.debian\.tar\.(?:gz|xz|bz2|zst)")

Archives = Callable[[str], Archive]
"""Returns the archive of a series, opened; raises what that raises."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Packaging:
    """A folder with a debian/ as its maintainer left it, and what is known of where it is from."""

    folder: Path
    said: str
    """In a phrase: ``apt:less/bookworm``."""
    package: Package
    dsc: Path | None = None
    """Its source package, where there is one, with the files that it names beside it."""
    passed: tuple[str, ...] = ()
    """Why packaging that would have come first, or is nearer to the release, was not taken."""

    @property
    def debian(self) -> Path:
        """Its debian/."""
        return self.folder / "debian"

    @property
    def origin(self) -> str:
        """The series whose archive it is of; empty for another place."""
        return origin_of(self.said)

    @property
    def digest(self) -> str:
        """The .dsc's sha256; empty where there is none."""
        return digest_of(self.dsc)[0] if self.dsc else ""


def open_packaging(word: str, series: Sequence[str], archives: Archives, place: Path) -> Packaging:
    """Lay out below ``place`` the packaging that ``word`` names.

    ``series`` are those in which ``apt:NAME`` is looked for, the first that has it counts. Raises
    UsageError for a word that names none, SetupError for packaging that cannot be adopted, and
    Hostile for one that would publish what it does not hold.
    """
    if word.startswith("apt:"):
        return _of_archive(word, series, archives, place)
    if word.startswith("git:") or word.endswith(".git"):
        return _of_branch(word, place)
    path = Path(word)
    if path.suffix == ".dsc" and path.is_file():
        return _of_dsc(path, str(path.resolve()), place)
    if (path / "debian").is_dir():
        return _of_folder(path.resolve(), place)
    raise UsageError(
        f"{word} is no packaging: neither a folder with debian/, a .dsc, apt:NAME[/SERIES] nor"
        " git:ADDRESS[#BRANCH]",
        resolution="For a program without packaging: toolsync add ADDRESS-OF-ITS-RELEASES",
    )


def _of_folder(path: Path, place: Path) -> Packaging:
    require_contained(path)
    package = package_of(path)
    shutil.copytree(path / "debian", place / "debian", symlinks=True)
    bare = package.version.partition(":")[2] or package.version
    dsc = path.parent / f"{package.name}_{bare}.dsc"
    known = dsc if dsc.is_file() else None
    return Packaging(folder=place, said=str(path), package=package, dsc=known)


def _of_dsc(path: Path, said: str, place: Path) -> Packaging:
    """Unpack a source package, whose files dpkg-source compares with their digests in it."""
    tree = place / "tree"
    done = run(
        *("dpkg-source", "--no-copy", "--no-check", "--skip-patches", "-x", path, tree),
        timeout=_SECONDS,
        cwd=place,
        ok=range(256),
    )
    if done.code:
        raise SetupError(
            f"{path} cannot be unpacked: {done.tail}",
            resolution="Get it again, with all files that it names beside it.",
        )
    require_contained(tree)
    form = tree / "debian" / "source" / "format"
    native = form.is_file() and "native" in form.read_text(encoding="utf-8", errors="replace")
    if native:
        raise SetupError(
            f"{path.name} is a native package: it has no upstream whose releases could be followed",
            resolution="Take it from its archive as it is.",
        )
    return Packaging(folder=tree, said=said, package=package_of(tree), dsc=path)


def _of_archive(word: str, series: Sequence[str], archives: Archives, place: Path) -> Packaging:
    """Lay out the packaging of the first series that has it, and whose mirror can give it."""
    name, _, wanted = word.removeprefix("apt:").partition("/")
    looked = (wanted,) if wanted else tuple(series)
    passed: list[str] = []
    lost: Unreachable | None = None
    for number, one in enumerate(looked):
        archive = archives(one)
        if found := archive.sources(name):
            (own := place / f"of-{number}").mkdir()
            try:
                packaging = of_archive(name, found[0].version, archive, own)
            except Unreachable as error:
                lost = lost or error
                why = str(error).splitlines()[0]
                passed.append(f"packaging {found[0].version} in {one} could not be had: {why}")
            else:
                return replace(packaging, passed=tuple(passed))
    if lost is not None:
        raise lost
    raise UsageError(
        f"the archives of {', '.join(looked)} have no source package {name}",
        resolution="Name the source package, as `apt-cache showsrc` does; another series is named"
        f" apt:{name}/SERIES.",
    )


def of_archive(name: str, version: str, archive: Archive, place: Path) -> Packaging:
    """Lay out below ``place`` one version of a source package; raises what apt refuses.

    Where the archive has it no more, it is the newest that has come in its place; where its mirror
    lacks another file of it, its debian/ alone.
    """
    try:
        dsc = archive.source(name, version, place / "source")
    except Unreachable:
        return _debian_of_archive(name, version, archive, place)
    return _of_dsc(dsc, f"apt:{name}/{archive.series}", place)


def _debian_of_archive(name: str, version: str, archive: Archive, place: Path) -> Packaging:
    """Lay out below ``place`` the debian/ alone of a version of a source package.

    The signed index names the digest of the tarball that holds it, so that no .dsc is needed.
    """
    known = archive.current(name, version)
    file = next((file for file in known.files if _DEBIAN.fullmatch(file)), "")
    if not file:
        raise SetupError(
            f"{name} {known.version} in {archive.series} has no tarball of its packaging alone",
            resolution="Take it from its archive as it is.",
        )
    tarball = archive.file(name, known.version, file, place / "debian-alone")
    (tree := place / "tree").mkdir()
    run(
        *("tar", "--extract", "--file", tarball, "--directory", tree),
        *("--no-same-owner", "--no-same-permissions"),
        timeout=_SECONDS,
    )
    said = f"apt:{name}/{archive.series}"
    return Packaging(folder=tree, said=said, package=package_of(tree))


def _of_branch(word: str, place: Path) -> Packaging:
    url, _, branch = word.removeprefix("git:").partition("#")
    ref = f"refs/heads/{branch}" if branch else "HEAD"
    tar = place / "tree.tar"
    with git.fetched(url, ref) as tree:
        tree.archive("tree", tar, everything=True)
    run("tar", "--extract", "--file", tar, "--directory", place, timeout=_SECONDS)
    folder = place / "tree"
    if not (folder / "debian").is_dir():
        raise UsageError(
            f"{url} has no debian/ on {branch or 'its main branch'}",
            resolution=f"Name the branch that has: git:{url}#debian/latest",
        )
    require_contained(folder)
    return Packaging(folder=folder, said=word, package=package_of(folder))


def source_beside(packaging: Packaging, archives: Sequence[Archive], place: Path) -> Path | None:
    """Return the packaging's own source package: the one beside it, or an archive's; else None."""
    if packaging.dsc is not None:
        return packaging.dsc
    package = packaging.package
    for archive in archives:
        try:
            if any(known.version == package.version for known in archive.sources(package.name)):
                return archive.source(package.name, package.version, place)
        except ToolsyncError:
            continue
    return None
