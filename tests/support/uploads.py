"""Signed source uploads, put together by hand: the same for the same arguments, and quick.

What is inside the tarballs is nobody's business here; for packages that build see
`tiny_packages`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support.keys import Keys

NOBLE = "1.0-0ubuntu1~ppa1~ubuntu24.04.1"
JAMMY = "1.0-0ubuntu1~ppa1~ubuntu22.04.1"
PLACE = "~maker/ubuntu/stable"


@dataclass(frozen=True)
class Makers:
    """Keys made once: a registered one, one of somebody without rights, and strangers."""

    keys: Keys
    maker: str
    other: str
    stranger: str
    expired: str
    folder: Path


def archive(client: Any, name: str = "stable") -> Any:
    """Return the maker's PPA, as launchpadlib's client has it."""
    return client.people["maker"].getPPAByName(distribution="/ubuntu", name=name)


def write_upload(
    folder: Path,
    keys: Keys,
    signer: str,
    *,
    name: str = "tiny",
    version: str = NOBLE,
    series: str = "noble",
    orig: bytes = b"orig",
    packaging: bytes = b"",
    with_orig: bool = True,
    binary_arch: str = "all",
    contains: str = "source",
    section: str = "utils",
    compression: str = "xz",
    dsc_signer: str | None = None,
) -> Path:
    """Write a source upload into ``folder`` and return its .changes file.

    Nobody signs where ``signer`` is empty; ``dsc_signer`` signs the .dsc where it is another.
    """
    folder.mkdir(parents=True, exist_ok=True)
    upstream, plain = version.rpartition("-")[0].split(":", 1)[-1], version.split(":", 1)[-1]
    tarballs = {
        f"{name}_{upstream}.orig.tar.{compression}": orig,
        f"{name}_{plain}.debian.tar.{compression}": packaging or version.encode(),
    }
    dsc = folder / f"{name}_{plain}.dsc"
    text = (
        f"Format: 3.0 (quilt)\nSource: {name}\nBinary: {name}\nArchitecture: {binary_arch}\n"
        f"Version: {version}\nMaintainer: Maker <maker@keys.invalid>\n"
        f"Package-List:\n {name} deb {section} optional arch={binary_arch.replace(' ', ',')}\n"
    )
    _signed(dsc, text + _sums(tarballs), keys, signer if dsc_signer is None else dsc_signer)
    for tarball, data in tarballs.items():
        (folder / tarball).write_bytes(data)
    left_out = "" if with_orig else ".orig."
    sent = {
        path.name: path.read_bytes()
        for path in (dsc, *(folder / tarball for tarball in tarballs))
        if not left_out or left_out not in path.name
    }
    changes = folder / f"{name}_{plain}_source.changes"
    text = (
        f"Format: 1.8\nDate: Tue, 14 Nov 2023 22:13:20 +0000\nSource: {name}\n"
        f"Architecture: {contains}\nVersion: {version}\nDistribution: {series}\nUrgency: medium\n"
        "Maintainer: Maker <maker@keys.invalid>\nChanged-By: Maker <maker@keys.invalid>\n"
        f"Changes:\n {name} ({version}) {series}; urgency=medium\n .\n   * New release.\n"
    )
    return _signed(changes, text + _sums(sent, section), keys, signer)


def _sums(files: Mapping[str, bytes], section: str = "") -> str:
    fields = {"Checksums-Sha1": "sha1", "Checksums-Sha256": "sha256", "Files": "md5"}
    text = ""
    for field, kind in fields.items():
        more = f" {section} optional" if section and kind == "md5" else ""
        lines = [
            f" {hashlib.new(kind, data).hexdigest()} {len(data)}{more} {name}"
            for name, data in files.items()
        ]
        text += "\n".join((f"{field}:", *lines)) + "\n"
    return text


def _signed(path: Path, text: str, keys: Keys, signer: str) -> Path:
    path.write_text(text)
    if signer:
        plain = path.with_name(f"{path.name}.plain")
        path.rename(plain)
        keys.sign(plain, path, signer, how=("--clearsign",))
        plain.unlink()
    return path
