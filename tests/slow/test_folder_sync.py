"""A folder with debian/ and a watch file goes the whole way: components, proofs, apt."""

from __future__ import annotations

import gzip
import io
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.servers.web import Web
from tests.slow.test_clean import served
from tests.support.chroots import Instance, make_chroot
from tests.support.keys import Keys, throwaway_keys
from tests.support.mutations import MIT
from tests.support.rig import Rig
from tests.support.tiny import EPOCH

pytestmark = pytest.mark.slow

WATCH = """\
version=4
opts="pgpsigurlmangle=s/$/.asc/" \\
 BASE/ hello-@ANY_VERSION@@ARCHIVE_EXT@
opts="component=words,pgpsigurlmangle=s/$/.asc/" \\
 BASE/words/ words-@ANY_VERSION@@ARCHIVE_EXT@ ignore
"""
CONTROL = """\
Source: hello
Section: utils
Priority: optional
Maintainer: Tiny <tiny@tiny.example>
Build-Depends: debhelper-compat (= 13)
Standards-Version: 4.6.2
Rules-Requires-Root: no

Package: hello
Architecture: all
Depends: ${misc:Depends}
Description: says a word
 A script that says a word, which another tarball brings.
"""
COPYRIGHT = """\
Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/

Files: *
Copyright: 2023 Tiny
License: Expat
"""
FILES = {
    "control": CONTROL,
    "rules": "#!/usr/bin/make -f\n%:\n\tdh $@\n",
    "install": "hello usr/bin\nwords/word usr/share/hello\n",
    "copyright": COPYRIGHT + "".join(f" {line or '.'}\n" for line in MIT.splitlines()),
    "source/format": "3.0 (quilt)\n",
    "changelog": "hello (1:0.9-1) unstable; urgency=low\n\n  * x.\n\n"
    " -- A <a@a.invalid>  Mon, 01 Jan 2024 00:00:00 +0000\n",
}
SCRIPT = "#!/bin/sh\n# {}\ncat /usr/share/hello/word\n"


def tarball(top: str, files: dict[str, str]) -> bytes:
    plain = io.BytesIO()
    with tarfile.open(fileobj=plain, mode="w", format=tarfile.GNU_FORMAT) as tar:
        for name, text in files.items():
            info = tarfile.TarInfo(f"{top}/{name}")
            info.size, info.mtime = len(text), EPOCH
            info.mode = 0o755 if name == "hello" else 0o644
            tar.addfile(info, io.BytesIO(text.encode()))
    return gzip.compress(plain.getvalue(), mtime=0)


@dataclass(frozen=True)
class Upstream:
    """A vendor that signs what it serves."""

    web: Web
    keys: Keys
    key: str
    folder: Path

    def publish(self, place: str, name: str, data: bytes) -> None:
        file = self.folder / name
        file.write_bytes(data)
        signed = self.keys.sign(file, self.folder / f"{name}.asc", self.key)
        self.web.serve(place, f'<html><body><a href="{name}">{name}</a></body></html>')
        self.web.serve(f"{place}{name}", data)
        self.web.serve(f"{place}{name}.asc", signed.read_bytes())

    def release(self, version: str, word: str) -> None:
        main = {"hello": SCRIPT.format(version), "LICENSE": MIT}
        self.publish("/", f"hello-{version}.tar.gz", tarball(f"hello-{version}", main))
        words = {"word": f"{word}\n", "LICENSE": MIT}
        self.publish("/words/", f"words-{version}.tar.gz", tarball(f"words-{version}", words))


@pytest.fixture
def upstream(tmp_path: Path) -> Iterator[Upstream]:
    folder = tmp_path / "upstream"
    folder.mkdir()
    with throwaway_keys() as keys, Web() as web:
        yield Upstream(web=web, keys=keys, key=keys.make("Vendor"), folder=folder)


@pytest.fixture
def package(tmp_path: Path, upstream: Upstream) -> Path:
    debian = tmp_path / "hello" / "debian"
    for name, text in FILES.items():
        (debian / name).parent.mkdir(parents=True, exist_ok=True)
        (debian / name).write_text(text)
    (debian / "watch").write_text(WATCH.replace("BASE", upstream.web.url))
    upstream.keys.export(debian / "upstream" / "signing-key.asc", upstream.key)
    return debian.parent


def test_a_folder_is_published_with_its_components_and_installed(
    tmp_path: Path, upstream: Upstream, package: Path
) -> None:
    make_chroot(tmp_path / "work")
    rig = Rig(tmp_path / "rig")
    # Debian has a package of that name, which apt takes where nobody says otherwise.
    rig.file.write_text(rig.file.read_text() + "[local]\nautomatic = true\n")
    upstream.release("1.0", "good")
    rig.run("sync", package)
    origs = {name for name in rig.pool() if ".orig" in name}
    tarballs = {"hello_1.0.orig.tar.gz", "hello_1.0.orig-words.tar.gz"}
    assert origs == tarballs | {f"{name}.asc" for name in tarballs}
    fresh = set(rig.pool())
    rig.run("sync", package)
    assert set(rig.pool()) == fresh
    evidence = rig.root / "evidence"
    rig.run("evidence", package, "1.0", "--output", evidence)
    file, key = evidence / "hello_1.0.intoto.json", evidence / "archive-key.asc"
    told = rig.json("evidence", "--verify", file, "--key", key, "--files", evidence)
    assert told["passes"], told
    with served(rig.archive) as address:
        instance = Instance(tmp_path)
        instance.add_archive(rig.run("archive", "sources", "--url", address).stdout)
        instance.run("apt-get install -q -y hello")
        assert instance.run("hello").strip() == "good"
        assert instance.run("dpkg-query -W -f '${Version}' hello").startswith("1:1.0-")
        upstream.release("1.1", "better")
        rig.run("sync", package)
        instance.run("apt-get update -q && apt-get upgrade -q -y")
        assert instance.run("hello").strip() == "better"


def test_a_component_that_nobody_signed_holds_the_release(
    tmp_path: Path, upstream: Upstream, package: Path
) -> None:
    rig = Rig(tmp_path / "rig")
    upstream.release("1.0", "good")
    upstream.web.serve("/words/words-1.0.tar.gz.asc", b"", status=404)
    (row,) = rig.json("sync", package, status=3)
    assert (row["status"], "missing signature" in row["message"]) == ("held", True)
    other = tarball("words-1.0", {"word": "bad\n"})
    upstream.release("1.0", "good")
    upstream.web.serve("/words/words-1.0.tar.gz", other, etag='"2"')
    (row,) = rig.json("sync", package, status=3)
    assert "bad signature" in row["message"]
    assert not (rig.archive / "pool").exists()
