"""What `adoptions` takes of a distribution: the packages of its list, and their later releases."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from toolsync.build.chroot import default_mirror
from toolsync.build.keyrings import archive_keyring
from toolsync.config.series import series_tag

LIST = Path(__file__).with_name("adoptions.txt")
LATER = "trixie"
"""The series whose orig tarballs stand for upstream's releases."""
_BESIDE = {"bookworm": ("noble",)}
"""Further series whose packaging a set-up for one may take, as its `[build] sources` says."""
_COMPONENTS = {"debian": "main", "ubuntu": "main universe"}
_SUITES = {"debian": ("",), "ubuntu": ("", "-updates", "-security")}
_TRIES = 3


@dataclass(frozen=True)
class Package:
    """A line of the list."""

    name: str
    old: str
    new: str
    """Versions of Debian's packages, of bookworm and trixie."""
    language: str

    @property
    def upstream(self) -> str:
        """The version of the release, as its upstream has it."""
        version = self.new.partition(":")[2] or self.new
        return re.sub(r"\+(?:dfsg|ds|repack)[\d.]*$", "", version.rpartition("-")[0])


def listed(path: Path = LIST) -> Iterator[Package]:
    """Yield the packages of a list."""
    for line in path.read_text(encoding="utf-8").splitlines():
        if not line.startswith("#"):
            yield Package(*line.split())


@dataclass(frozen=True)
class Later:
    """A later release of a package, and how it is found."""

    old: str
    """The version that the series has."""
    watches: list[str]
    """The debian/watch of the series, then of trixie, then of others."""
    orig: Path
    signature: Path | None


class Archives:
    """Apt's view of a series, of trixie and of others. Files are kept below ``cache``."""

    def __init__(self, series: str, cache: Path) -> None:
        self.series, self._files = series, cache / "sources"
        self._folder = cache / series / "apt"
        self.sources = self._folder / "adopt.sources"
        """The sources of all series, of the form of sources.list(5), deb822."""
        for name in ("lists/partial", "archives/partial"):
            (self._folder / name).mkdir(parents=True, exist_ok=True)
        self._beside = _BESIDE.get(series, ())
        known = (series, LATER, *self._beside)
        self.sources.write_text("\n".join(_stanza(name) for name in known))
        settings = self._folder / "apt.conf"
        settings.write_text(
            f'Dir::Etc::sourcelist "{self.sources}";\nDir::Etc::sourceparts "/nonexistent";\n'
            f'Dir::State::lists "{self._folder}/lists";\nDir::Cache "{self._folder}";\n'
            'APT::Sandbox::User "root";\nAcquire::Retries "3";\n'
        )
        self._env = {**os.environ, "APT_CONFIG": str(settings)}
        if len(list((self._folder / "lists").glob("*InRelease"))) < len(known):
            subprocess.run(["apt-get", "-qq", "update"], env=self._env, check=True, timeout=600)

    def release(self, package: Package) -> Later:
        """Return the release of a package that trixie has.

        Of trixie's packaging there may be nothing: then it is not to be had from here. Raises
        LookupError where there is no packaging at all, or no orig tarball.
        """
        own = self._got(f"{package.name}/{self.series}", package.name, self.series)
        later = self._got(f"{package.name}={package.new}", package.name, LATER)
        beside = [self._got(f"{package.name}/{name}", package.name, name) for name in self._beside]
        folders = (own, later, *beside)
        tarballs = [next(folder.glob("*.debian.tar.*"), None) for folder in folders]
        watches = [text for tarball in tarballs if tarball and (text := _watch(tarball))]
        files = sorted(later.glob("*.orig.tar.*"))
        origs = [path for path in files if path.suffix != ".asc"]
        if not (watches and len(origs) == 1):
            raise LookupError(
                f"the mirror gave {'' if watches else 'no '}packaging of {package.name} and"
                f" {len(origs)} orig tarballs of {package.new}; wanted packaging and one"
            )
        signature = next((path for path in files if path.suffix == ".asc"), None)
        return Later(self._version(own) or package.old, watches, origs[0], signature)

    def _got(self, what: str, name: str, series: str) -> Path:
        """Return a folder with what the mirror has of a source package."""
        folder = self._files / name / series
        folder.mkdir(parents=True, exist_ok=True)
        argv = ["apt-get", "-qq", "source", "--download-only", "--only-source", what]
        for _ in range(_TRIES):
            if not list(folder.glob("*.orig.tar.*")):
                subprocess.run(
                    argv, env=self._env, cwd=folder, check=False, timeout=600, capture_output=True
                )
        return folder

    def _version(self, folder: Path) -> str:
        """Return the version of what lies in a folder; empty where it does not tell."""
        path = next(iter(folder.glob("*.dsc")), None)
        found = re.search(r"(?m)^Version: (\S+)$", path.read_text("utf-8")) if path else None
        return found[1].partition(":")[2] or found[1] if found else ""


def _watch(tarball: Path) -> str:
    """Return the debian/watch in a tarball; empty where there is none."""
    argv = ["tar", "-xOf", str(tarball), "debian/watch"]
    return subprocess.run(argv, capture_output=True, text=True, check=False).stdout


def _stanza(series: str) -> str:
    distribution, _ = series_tag(series)
    suites = " ".join(f"{series}{end}" for end in _SUITES[distribution])
    return (
        f"Types: deb deb-src\nURIs: {default_mirror(distribution)}\nSuites: {suites}\n"
        f"Components: {_COMPONENTS[distribution]}\nSigned-By: {archive_keyring(series)}\n"
    )
