"""A tiny source package for several architectures, put together by dpkg-deb without a build."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from debian.deb822 import Changes

from tests.support.tiny_packages import EPOCH, Context
from toolsync.model.release import Built, SourcePackage
from toolsync.system.architectures import own

NAME = "tiny-tool"
CONTROL = f"""\
Source: {NAME}
Section: utils
Priority: optional
Maintainer: toolsync archive <toolsync@localhost>
Build-Depends: debhelper-compat (= 13)
Standards-Version: 4.6.2
Rules-Requires-Root: no

Package: {NAME}
Architecture: any
Description: tiny command that prints its version
 It prints its version and ends. There is nothing else
 that it could do.

Package: {NAME}-doc
Architecture: all
Description: tiny text about a tiny command
 It says that the command prints its version. There is nothing else
 that it could say.
"""


def source_for(context: Context, upstream: str = "1.0") -> SourcePackage:
    """Return a source package with one binary for each architecture and one for all."""
    return context.source(upstream=upstream, files={"control": CONTROL})


def built_for(
    context: Context,
    source: SourcePackage,
    architecture: str,
    *,
    alone: bool = False,
    more: Sequence[str] = (),
    doc: Sequence[str] = (),
) -> Built:
    """Return what a build for an architecture makes, with or without what is for all.

    ``more`` are paths of further files in its package, ``doc`` in that for all.
    """
    store = context.store
    with context.workshop.folder("assemble") as folder:
        for blob in source.files:
            store.copy_to(blob, folder)
        env = {
            "PATH": "/usr/bin:/bin",
            "SOURCE_DATE_EPOCH": str(EPOCH),
            "LC_ALL": "C.UTF-8",
            "DEB_HOST_ARCH": architecture,
        }
        _run(folder, env, "dpkg-source", "--no-check", "-x", source.files[0].name, "tree")
        tree = folder / "tree"
        for name in (NAME,) if alone else (NAME, f"{NAME}-doc"):
            _deb(tree, env, name, more if name == NAME else doc)
        changes = f"{NAME}_{source.version}_{architecture}.changes"
        _run(tree, env, "dpkg-genchanges", "--build=full", "-sa", f"-O../{changes}")
        names = [e["name"] for e in Changes((folder / changes).read_text())["Files"]]
        return Built(
            source=source,
            changes=store.add_file(folder / changes),
            files=tuple(store.add_file(folder / name) for name in names),
            builder="assembled for a test",
            tests="not run",
            log=store.add_bytes(b"", "log"),
            architecture=architecture if alone or architecture != own() else "",
        )


def _deb(tree: Path, env: dict[str, str], name: str, more: Sequence[str]) -> None:
    package = tree / "debian" / name
    (package / "DEBIAN").mkdir(parents=True)
    (package / "usr" / "bin").mkdir(parents=True)
    shutil.copy(tree / NAME, package / "usr" / "bin" / name)
    for path in more:
        (package / path).parent.mkdir(parents=True, exist_ok=True)
        (package / path).write_text("1\n")
    (tree / "debian" / "substvars").touch()
    words = (f"-p{name}", f"-Pdebian/{name}", "-Tdebian/substvars")
    _run(tree, env, "dpkg-gencontrol", *words)
    _run(tree, env, "dpkg-deb", "--root-owner-group", "--build", f"debian/{name}", "..")


def _run(folder: Path, env: dict[str, str], *argv: str) -> None:
    subprocess.run(argv, cwd=folder, check=True, capture_output=True, env=env)
