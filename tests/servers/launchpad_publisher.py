"""Put what a PPA has published on disk, as Launchpad's publisher does: reprepro plays it.

::

    with throwaway_keys() as keys:
        launchpad.publisher = RepreproPublisher(folder, keys)   # makes each PPA's signing key
        …
        ppa.debs.update(build(source, folder))                  # what its builders would make
        launchpad.tick(hours=1)                                 # and apt finds it at
        f"{launchpad.url}/{ppa.owner}/{ppa.name}/ubuntu"

Each run writes the whole archive anew from the publications, and only then shows it.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from tests.servers.launchpad_archive import ARCHITECTURES, Ppa, Publication, Source
from tests.support.keys import Keys

_INCLUDE = ("--export=never", "-C", "main", "-P", "optional")


class RepreproPublisher:
    """See the module; ``keys`` are for the archives' own keys, one each."""

    def __init__(self, folder: Path, keys: Keys) -> None:
        self._folder, self._keys = folder, keys
        folder.mkdir(parents=True, exist_ok=True)
        self._shown: dict[str, Path] = {}

    def sign_for(self, ppa: Ppa) -> None:
        """Give a PPA its signing key, as Launchpad does some time after the first upload."""
        if not ppa.signing_key_fingerprint:
            ppa.signing_key_fingerprint = self._keys.make(f"Launchpad PPA for {ppa.owner}")
            path = self._folder / f"{ppa.owner}-{ppa.name}.asc"
            self._keys.export(path, ppa.signing_key_fingerprint)
            ppa.signing_key = path.read_text()

    def publish(self, ppa: Ppa) -> None:
        """Write a PPA's archive from its publications and show it."""
        self.sign_for(ppa)
        root = Path(tempfile.mkdtemp(prefix=f"{ppa.owner}-{ppa.name}-", dir=self._folder))
        (root / "conf").mkdir()
        (root / "conf" / "distributions").write_text(
            "\n".join(_distribution(ppa, name) for name in sorted({p.series for p in ppa.sources}))
        )
        for pub in ppa.sources:
            if pub.status == "Published":
                self._include_source(root, pub)
        for pub in ppa.binaries:
            if pub.status == "Published" and pub.filename in ppa.debs:
                self._include_deb(root, pub, ppa.debs[pub.filename])
        self._reprepro(root, "export")
        old = self._shown.get(f"{ppa.owner}/{ppa.name}")
        self._shown[f"{ppa.owner}/{ppa.name}"] = root
        if old is not None:
            shutil.rmtree(old)

    def file(self, path: str) -> bytes | None:
        """Return a file of an archive by its path below the site: /OWNER/NAME/ubuntu/…"""
        parts = path.strip("/").split("/")
        root = self._shown.get("/".join(parts[:2]))
        if root is None or parts[2:3] != ["ubuntu"] or parts[3:4] not in (["dists"], ["pool"]):
            return None
        found = root.joinpath(*parts[3:]).resolve()
        return found.read_bytes() if found.is_relative_to(root) and found.is_file() else None

    def _include_source(self, root: Path, pub: Publication) -> None:
        folder = lay_out(pub.source, root / "staged")
        dsc = next(name for name in pub.source.files if name.endswith(".dsc"))
        words = (*_INCLUDE, "-S", pub.source.section, "includedsc")
        self._reprepro(root, *words, pub.series, str(folder / dsc))
        shutil.rmtree(folder)

    def _include_deb(self, root: Path, pub: Publication, data: bytes) -> None:
        path = root / pub.filename
        path.write_bytes(data)
        words = (*_INCLUDE, "-S", pub.source.section, "-A", pub.arch, "includedeb")
        self._reprepro(root, *words, pub.series, str(path))
        path.unlink()

    def _reprepro(self, root: Path, *words: str) -> None:
        command = ["reprepro", "--basedir", str(root), *words]
        env = os.environ | {"GNUPGHOME": str(self._keys.home)}
        done = subprocess.run(command, capture_output=True, text=True, env=env, check=False)
        assert done.returncode == 0, f"{' '.join(command)}:\n{done.stdout}{done.stderr}"


def build(source: Source, folder: Path) -> dict[str, bytes]:
    """Build a received source package on this machine; return the binary packages by name."""
    root = lay_out(source, folder / f"build-{source.version.replace(':', '_')}")
    dsc = next(name for name in source.files if name.endswith(".dsc"))
    env = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8", "HOME": "/nonexistent"}
    for command, where in (
        (("dpkg-source", "--no-check", "-x", dsc, "tree"), root),
        (("dpkg-buildpackage", "--build=binary", "-us", "-uc"), root / "tree"),
    ):
        done = subprocess.run(command, cwd=where, capture_output=True, text=True, env=env)
        assert done.returncode == 0, f"{' '.join(command)}:\n{done.stdout}{done.stderr}"
    return {path.name: path.read_bytes() for path in root.glob("*.deb")}


def lay_out(source: Source, folder: Path) -> Path:
    """Write a source package's files into a new folder and return that."""
    folder.mkdir(parents=True)
    for name, data in source.files.items():
        (folder / name).write_bytes(data)
    return folder


def _distribution(ppa: Ppa, series: str) -> str:
    """Return a paragraph of conf/distributions; the words are those of a PPA's Release file."""
    return (
        f"Origin: LP-PPA-{ppa.owner}-{ppa.name}\nLabel: {ppa.displayname}\nSuite: {series}\n"
        f"Codename: {series}\nArchitectures: {' '.join(ARCHITECTURES)} source\nComponents: main\n"
        f"Description: Ubuntu {series.title()}\nSignWith: {ppa.signing_key_fingerprint}\n"
    )
