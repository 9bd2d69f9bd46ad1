"""Keys of minisign, signify and SSH, and how they sign, by the real programs."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

Sign = Callable[[Path, Path], object]
"""Signs a file into another."""


def sh(*words: str | Path, given: bytes = b"") -> bytes:
    return subprocess.run(
        list(map(str, words)), check=True, capture_output=True, input=given
    ).stdout


@dataclass(frozen=True)
class Owner:
    """A key as it is pinned, and how it signs."""

    pin: str
    sign: Sign


def minisign(folder: Path) -> Owner:
    pub, key = folder / "k.pub", folder / "k.key"
    sh("minisign", "-G", "-W", "-f", "-p", pub, "-s", key, given=b"\n\n")
    return Owner(
        pub.read_text().splitlines()[1],
        lambda file, into: sh("minisign", "-S", "-s", key, "-m", file, "-x", into, given=b"\n"),
    )


def signify(folder: Path, *more: str) -> Owner:
    pub, key = folder / "s.pub", folder / "s.sec"
    if not pub.exists():
        sh("signify-openbsd", "-G", "-n", "-p", pub, "-s", key)
    return Owner(
        pub.read_text().splitlines()[1],
        lambda file, into: sh("signify-openbsd", "-S", *more, "-s", key, "-m", file, "-x", into),
    )


def ssh(folder: Path, use: str = "file") -> Owner:
    key = folder / "id"
    if not key.exists():
        sh("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "Release Team", "-f", key)

    def sign(file: Path, into: Path) -> None:
        into.write_bytes(
            sh("ssh-keygen", "-Y", "sign", "-f", key, "-n", use, given=file.read_bytes())
        )

    return Owner(key.with_suffix(".pub").read_text().strip(), sign)


MAKERS: Mapping[str, Callable[[Path], Owner]] = {
    "minisign": minisign,
    "signify": signify,
    "ssh": ssh,
}
