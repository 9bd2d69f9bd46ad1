"""The keys by which a series' packages are trusted: where they lie, and how they come here.

Debian carries no package with Ubuntu's keys, so `fetch_keyring` takes them out of Ubuntu's own
package. Nothing vouches for that download: the file is trusted because every key in it is one
of those whose fingerprints are written here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from toolsync.config.series import series_tag
from toolsync.model.errors import ProgramFailed, SetupError, Unreachable, Unverified
from toolsync.system.apt import private_apt
from toolsync.system.gpgkeys import inspect_keys
from toolsync.system.run import run

PLACE_OF_ONES_OWN = Path("/etc/apt/keyrings")
"""Where sources.list(5) wants an operator's own keyrings."""
_FOLDERS = (Path("/usr/share/keyrings"), PLACE_OF_ONES_OWN)
_SECONDS = 300


@dataclass(frozen=True, slots=True)
class Keyring:
    """One distribution's keys."""

    file: str
    package: str
    """The package of the distribution that carries the file."""
    fingerprints: frozenset[str] = frozenset()
    """The keys that it may hold; empty where the distribution's own packages see to that."""
    here: bool = True
    """Whether Debian carries the package."""


KEYRINGS: Mapping[str, Keyring] = {
    "debian": Keyring("debian-archive-keyring.gpg", "debian-archive-keyring"),
    "ubuntu": Keyring(
        "ubuntu-archive-keyring.gpg",
        "ubuntu-keyring",
        frozenset(
            (
                "F6ECB3762474EDA9D21B7022871920D1991BC93C",  # Ubuntu Archive, 2018
                "790BC7277767219C42C86F933B4FE6ACC0B21F32",  # Ubuntu Archive, 2012
                "843938DF228D22F7B3742BC0D94AA3F0EFE21092",  # Ubuntu CD Image, 2012
            )
        ),
        here=False,
    ),
}
"""Fingerprints as in the package ubuntu-keyring and in Ubuntu's SecurityTeam/FAQ."""


def archive_keyring(series: str, folders: tuple[Path, ...] = _FOLDERS) -> Path:
    """Return the keyring by which a series' packages are trusted; SetupError without it."""
    distribution, _ = series_tag(series)
    keyring = KEYRINGS[distribution]
    for path in (folder / keyring.file for folder in folders):
        if path.exists():
            check_keyring(path, keyring)
            return path
    raise SetupError(
        f"a {series} chroot needs {distribution.title()}'s keys, {folders[0] / keyring.file}, which"
        " are not on this machine",
        resolution=_way(keyring, distribution, series),
    )


def _way(keyring: Keyring, distribution: str, series: str) -> str:
    if keyring.here:
        return f"Install them with: apt install {keyring.package}"
    first = next(iter(sorted(keyring.fingerprints, reverse=True)))
    return (
        f"Get them with `sudo toolsync series keyring {series}`, which takes them from"
        f" {distribution.title()}'s package {keyring.package}; or put them there yourself. The key"
        f" must have the fingerprint {first}."
    )


def check_keyring(path: Path, keyring: Keyring) -> None:
    """Raise Unverified when a keyring holds no key, or one that it may not hold."""
    if not keyring.fingerprints:
        return
    found = {key.fingerprint for key in inspect_keys([path])}
    if not found or found - keyring.fingerprints:
        raise Unverified(
            f"{path} holds {', '.join(sorted(found)) or 'no key'}, wanted only:"
            f" {', '.join(sorted(keyring.fingerprints))}",
            resolution=f"Remove {path}, and get the keys from where you trust them.",
        )


def fetch_keyring(series: str, mirror: str, folder: Path) -> bytes:
    """Return the keyring of a series' distribution, out of its own package on ``mirror``.

    ``folder`` is an empty one to work in. Raises Unreachable when the mirror gives no such
    package, Unverified when a key in it is not one of those that we know.
    """
    distribution, _ = series_tag(series)
    keyring = KEYRINGS[distribution]
    stanza = f"Types: deb\nURIs: {mirror}\nSuites: {series}\nComponents: main\nTrusted: yes\n"
    env = private_apt(folder, stanza)
    try:
        for words in (("update",), ("download", keyring.package)):
            run("apt-get", "-q", *words, timeout=_SECONDS, env=env, cwd=folder)
    except ProgramFailed as error:
        raise Unreachable(
            f"{mirror} gave no {keyring.package} for {series}: {error}",
            resolution="Run again later, or put the keys there yourself:"
            f" {PLACE_OF_ONES_OWN / keyring.file}",
        ) from error
    (package,) = folder.glob("*.deb")
    tree = folder / "tree"
    run("dpkg-deb", "--extract", package, tree, timeout=_SECONDS)
    path = tree / f"usr/share/keyrings/{keyring.file}"
    if path.is_symlink() or not path.is_file():
        raise Unverified(
            f"{package.name} holds no {path.name}, wanted {distribution.title()}'s keys",
            resolution=f"Put them there yourself: {PLACE_OF_ONES_OWN / keyring.file}",
        )
    check_keyring(path, keyring)
    return path.read_bytes()
