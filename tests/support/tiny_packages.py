"""Tiny real source packages, and the values that a release has become when it is packaged."""

from __future__ import annotations

import io
import lzma
import shutil
import subprocess
import tarfile
from pathlib import Path
from typing import Any

from debian.deb822 import Changes

from toolsync.build.chroot import Chroots
from toolsync.config.series import full_version
from toolsync.config.settings import Local
from toolsync.model.judgment import Judgment
from toolsync.model.release import (
    Blob,
    Built,
    Compatible,
    Fetched,
    Licensed,
    Package,
    Passed,
    Release,
    SourcePackage,
    Unpacked,
    Verified,
)
from toolsync.publish.local import LocalArchive
from toolsync.system.clock import Clock, SystemClock
from toolsync.system.gpg import SigningHome
from toolsync.system.store import Store
from toolsync.system.work import Workshop

EPOCH = 1_700_000_000

CONTROL = """\
Source: {name}
Section: {section}
Priority: optional
Maintainer: toolsync archive <toolsync@localhost>
Build-Depends: debhelper-compat (= 13)
Standards-Version: 4.6.2
Rules-Requires-Root: no

Package: {name}
Architecture: all
Depends: ${{misc:Depends}}
Description: tiny command that prints its version
 It prints its version and ends. There is nothing else
 that it could do.
"""

COPYRIGHT = """\
Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/
Upstream-Name: {name}

Files: *
Copyright: 2023 Somebody
License: public-domain
 Do with it what you like.
"""

CHANGELOG = """\
{name} ({version}) {series}; urgency=medium

  * New upstream release.

 -- toolsync archive <toolsync@localhost>  Tue, 14 Nov 2023 22:13:20 +0000
"""

MANPAGE = ".TH {NAME} 1\n.SH NAME\n{name} \\- print a version\n"
PASSING = 'Test-Command: test "$({name})" = "{name} {upstream}"\n'


def make_source(
    folder: Path,
    store: Store,
    *,
    name: str = "tiny-tool",
    upstream: str = "1.0",
    series: str = "bookworm",
    revision: int = 1,
    section: str = "utils",
    payload: str = "",
    rules: str = "",
    files: dict[str, str] | None = None,
    preset: int = 6,
    known: Blob | None = None,
) -> SourcePackage:
    """Return a source package whose files are in ``store``.

    ``payload`` makes the orig tarball differ, and so does xz's ``preset``, but for its content; or
    a ``known`` one is taken. ``rules`` is added to debian/rules, and ``files`` (below debian/)
    replace or join the ordinary ones.
    """
    version = full_version(upstream, series, revision)
    work = folder / f"source-{name}-{version}-{series}"
    tree = work / f"{name}-{upstream}"
    tree.mkdir(parents=True)
    script = f"#!/bin/sh\necho {name} {upstream}\n{payload}"
    orig = work / f"{name}_{upstream}.orig.tar.xz"
    if known is None:
        orig.write_bytes(_tarball(tree.name, name, script.encode(), preset))
    else:
        store.copy_to(known, work)
    (tree / name).write_text(script)
    (tree / name).chmod(0o755)
    words = {"name": name, "version": version, "series": series, "upstream": upstream}
    contents = {
        "source/format": "3.0 (quilt)\n",
        "control": CONTROL.format(section=section, **words),
        "copyright": COPYRIGHT.format(**words),
        "changelog": CHANGELOG.format(**words),
        "rules": f"#!/usr/bin/make -f\n%:\n\tdh $@\n{rules}",
        f"{name}.install": f"{name} usr/bin\n",
        f"{name}.manpages": f"debian/{name}.1\n",
        f"{name}.1": MANPAGE.format(NAME=name.upper(), name=name),
        "tests/control": PASSING.format(**words),
    }
    for path, content in (contents | (files or {})).items():
        target = tree / "debian" / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(content)
    (tree / "debian" / "rules").chmod(0o755)
    subprocess.run(
        ["dpkg-source", "-b", tree.name],
        cwd=work,
        check=True,
        capture_output=True,
        env={"PATH": "/usr/bin:/bin", "SOURCE_DATE_EPOCH": str(EPOCH), "LC_ALL": "C.UTF-8"},
    )
    made = sorted(path for path in work.iterdir() if path.is_file())
    blobs = [store.add_file(path) for path in made]
    blobs.sort(key=lambda blob: not blob.name.endswith(".dsc"))
    return SourcePackage(
        licensed=cleared(store, name, upstream, next(b for b in blobs if ".orig." in b.name)),
        series=series,
        name=name,
        version=version,
        content="0" * 64,
        revision=revision,
        files=tuple(blobs),
    )


def consent(stage: str) -> Passed:
    """Return a gate's consent to something that was not looked at."""
    said = Judgment(stage=stage, verdict="silent", summary="", findings=(), subject="0" * 64)
    return Passed(findings=(), judgment=said)


def passed(package: Package) -> Compatible:
    """Return a package that its gates let pass."""
    return Compatible(package=package, passed=(consent("compat"),))


def cleared(store: Store, name: str, upstream: str, orig: Blob) -> Licensed:
    """Return a release that the gates over its files let pass."""
    release = Release(
        tool=name,
        version=upstream,
        raw_version=upstream,
        url=f"https://upstream.invalid/{name}-{upstream}.tar.gz",
        filename=f"{name}-{upstream}.tar.gz",
        page="https://upstream.invalid/",
    )
    fetched = Fetched(release=release, archive=orig, final_url=release.url)
    verified = Verified(fetched=fetched, method="pins", statement="pinned")
    unpacked = Unpacked(verified=verified, orig=orig, untouched=True, members=1, epoch=EPOCH)
    return Licensed(unpacked=unpacked, passed=(consent("license"),))


def _tarball(top: str, name: str, script: bytes, preset: int) -> bytes:
    """Return an orig tarball that is the same for the same script."""
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w", format=tarfile.GNU_FORMAT) as archive:
        folder = tarfile.TarInfo(top)
        folder.type, folder.mode, folder.mtime = tarfile.DIRTYPE, 0o755, EPOCH
        archive.addfile(folder)
        entry = tarfile.TarInfo(f"{top}/{name}")
        entry.mode, entry.mtime, entry.size = 0o755, EPOCH, len(script)
        archive.addfile(entry, io.BytesIO(script))
    return lzma.compress(raw.getvalue(), preset=preset)


class Context:
    """A store, a workshop and an archive below one folder, and packages built for them."""

    def __init__(self, root: Path, series: tuple[str, ...] = ("bookworm",)) -> None:
        root.chmod(0o755)
        self.root, self.series = root, series
        self.store = Store(root / "store")
        self.workshop = Workshop(root, root / "work")
        self.chroots = Chroots(root / "chroots", workshop=self.workshop, clock=SystemClock())
        self.clock: Clock = SystemClock()
        self._sources = 0

    def source(self, **options: Any) -> SourcePackage:
        """Make a source package; options as of `make_source`."""
        self._sources += 1
        return make_source(self.root / str(self._sources), self.store, **options)

    def built(self, **options: Any) -> Built:
        """Make a source package and put its one binary together by dpkg-deb, which is quick."""
        return assemble(self.source(**options), self.store, self.workshop)

    def archive(self, settings: Local | None = None, place: str = "archive") -> LocalArchive:
        """Open the local archive, in the folder ``place``."""
        return LocalArchive(
            self.root / place,
            settings=settings or Local(),
            series=self.series,
            owner="toolsync archive <toolsync@localhost>",
            store=self.store,
            workshop=self.workshop,
            signing=SigningHome(self.root / "gnupg"),
            clock=self.clock,
        )


def assemble(source: SourcePackage, store: Store, workshop: Workshop) -> Built:
    """Return what a build of a tiny package makes, without debhelper's two seconds."""
    with workshop.folder("assemble") as folder:
        for blob in source.files:
            store.copy_to(blob, folder)
        _quietly(folder, "dpkg-source", "--no-check", "-x", source.files[0].name, "tree")
        tree = folder / "tree"
        package = tree / "debian" / source.name
        (package / "DEBIAN").mkdir(parents=True)
        (package / "usr" / "bin").mkdir(parents=True)
        shutil.copy(tree / source.name, package / "usr" / "bin" / source.name)
        (tree / "debian" / "substvars").touch()
        _quietly(tree, "dpkg-gencontrol", f"-Pdebian/{source.name}", "-Tdebian/substvars")
        _quietly(tree, "dpkg-deb", "--root-owner-group", "--build", f"debian/{source.name}", "..")
        changes = f"{source.name}_{source.version}_amd64.changes"
        _quietly(tree, "dpkg-genchanges", "--build=full", "-sa", f"-O../{changes}")
        names = [e["name"] for e in Changes((folder / changes).read_text())["Files"]]
        return Built(
            source=source,
            changes=store.add_file(folder / changes),
            files=tuple(store.add_file(folder / name) for name in names),
            builder="assembled for a test",
            tests="not run",
            log=store.add_bytes(b"", "log"),
        )


def _quietly(folder: Path, *argv: str) -> None:
    subprocess.run(
        argv,
        cwd=folder,
        check=True,
        capture_output=True,
        env={"PATH": "/usr/bin:/bin", "SOURCE_DATE_EPOCH": str(EPOCH), "LC_ALL": "C.UTF-8"},
    )
