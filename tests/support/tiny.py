"""A tiny vendor: releases of a shell script, a page that lists them, and a tool that follows it."""

from __future__ import annotations

import gzip
import hashlib
import io
import tarfile
from collections.abc import Mapping
from pathlib import Path

from tests.servers.web import Web
from toolsync.license import known, normalise

EPOCH = 1_700_000_000
"""2023-11-14: the date of every file that the vendor publishes."""


LICENSE = "Do as you like.\n"


def accepted(*texts: str) -> str:
    """Return a ``[license]`` table that accepts these license texts and no others."""
    prints = ", ".join(f'"{_fingerprint(text)}"' for text in texts)
    return (
        '[license]\nexpression = "LicenseRef-tiny"\n'
        '[[license.accepted]]\nexpression = "LicenseRef-tiny"\nby = "the tests"\n'
        f'when = "2026-01-01"\nwhy = "a test"\nfingerprints = [{prints}]\n'
    )


def _fingerprint(text: str) -> str:
    words = normalise.read(text.encode()).words
    return normalise.fingerprint(known.identify(words, known.first_words(text)).words)


def archive(version: str, *, name: str = "hello", extra: Mapping[str, str] | None = None) -> bytes:
    """Return ``NAME-VERSION.tar.gz``, always the same bytes for the same arguments."""
    files = {"LICENSE": LICENSE, name: f"#!/bin/sh\necho {version}\n", **(extra or {})}
    plain = io.BytesIO()
    with tarfile.open(fileobj=plain, mode="w", format=tarfile.GNU_FORMAT) as tar:
        folder = tarfile.TarInfo(f"{name}-{version}")
        folder.type, folder.mode, folder.mtime = tarfile.DIRTYPE, 0o755, EPOCH
        tar.addfile(folder)
        for path, text in sorted(files.items()):
            info = tarfile.TarInfo(f"{name}-{version}/{path}")
            info.size, info.mtime = len(text.encode()), EPOCH
            info.mode = 0o755 if path == name else 0o644
            tar.addfile(info, io.BytesIO(text.encode()))
    return gzip.compress(plain.getvalue(), mtime=0)


def publish(web: Web, *releases: str, name: str = "hello", path: str = "/dl/") -> None:
    """Put releases on the vendor's page, each a link beside the archive itself."""
    links = "".join(f'<a href="{name}-{v}.tar.gz">{name} {v}</a>\n' for v in releases)
    web.serve(path, f"<html><body>{links}</body></html>")
    for version in releases:
        data = archive(version, name=name)
        web.serve(f"{path}{name}-{version}.tar.gz", data, type="application/gzip", etag='"1"')


def write_tool(
    folders: Path,
    url: str,
    *versions: str,
    name: str = "hello",
    toml: str = "",
    backlog: int = 1,
) -> Path:
    """Write a tool that follows ``url``, with pins for ``versions``; return its folder.

    ``toml`` replaces everything from [verify] on.
    """
    pins = "".join(
        f'"{v}" = "{hashlib.sha256(archive(v, name=name)).hexdigest()}"\n' for v in versions
    )
    rest = toml or (
        f'[verify]\nmethod = "pins"\n[verify.pins]\n{pins}\n'
        f"{accepted(LICENSE)}"
        '[compat]\nprobe = false\nreason = "a test"\n'
    )
    text = (
        f'summary = "{name}"\nhomepage = "{url}"\n'
        f'[watch]\nkind = "html"\nurl = "{url}"\nbacklog = {backlog}\n'
        f"pattern = '''{name}-(?P<version>[\\d.]+)\\.tar\\.gz'''\n{rest}"
    )
    folder = folders / name
    _write_packaging(folder / "debian", name)
    (folder / "tool.toml").write_text(text)
    return folder


def _write_packaging(debian: Path, name: str) -> None:
    files = {
        "control": (
            f"Source: {name}\nSection: admin\nPriority: optional\n"
            "Maintainer: Tiny <tiny@tiny.example>\nBuild-Depends: debhelper-compat (= 13)\n"
            "Standards-Version: 4.6.2\nRules-Requires-Root: no\n\n"
            f"Package: {name}\nArchitecture: all\nDepends: ${{misc:Depends}}\n"
            f"Description: says its version\n A script that says which version of {name} it is.\n"
        ),
        "rules": "#!/usr/bin/make -f\n%:\n\tdh $@\n",
        "install": f"{name} usr/bin\n",
        "copyright": (
            "Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\n\n"
            "Files: *\nCopyright: 2023 Tiny\nLicense: tiny\n Do as you like.\n"
        ),
        "source/format": "3.0 (quilt)\n",
        "tests/control": f'Test-Command: test -n "$({name})"\nDepends: @\n',
    }
    for path, text in files.items():
        (debian / path).parent.mkdir(parents=True, exist_ok=True)
        (debian / path).write_text(text)
    (debian / "rules").chmod(0o755)
