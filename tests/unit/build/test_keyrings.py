"""Which keys a series' packages are trusted by, and how those of another distribution come here."""

from __future__ import annotations

import hashlib
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.keys import Keys, throwaway_keys
from toolsync.build.keyrings import KEYRINGS, archive_keyring, check_keyring, fetch_keyring
from toolsync.model.errors import SetupError, Unreachable, Unverified

UBUNTU = KEYRINGS["ubuntu"]


def archive(root: Path, keys: bytes, file: str = UBUNTU.file) -> str:
    """Make an archive of noble with a package ubuntu-keyring that holds ``keys``."""
    tree = root / "tree"
    (tree / "DEBIAN").mkdir(parents=True)
    (tree / "usr/share/keyrings").mkdir(parents=True)
    (tree / "usr/share/keyrings" / file).write_bytes(keys)
    fields = "Package: ubuntu-keyring\nVersion: 1\nArchitecture: all\nMaintainer: M <m@m.invalid>\n"
    (tree / "DEBIAN/control").write_text(fields + "Description: keys\n")
    deb = root / "pool/ubuntu-keyring_1_all.deb"
    deb.parent.mkdir()
    subprocess.run(["dpkg-deb", "--build", tree, deb], check=True, capture_output=True)
    digest = hashlib.sha256(deb.read_bytes()).hexdigest()
    place = f"Filename: pool/{deb.name}\nSize: {deb.stat().st_size}\nSHA256: {digest}\n"
    machine = subprocess.check_output(["dpkg", "--print-architecture"], text=True).strip()
    index = root / f"dists/noble/main/binary-{machine}/Packages"
    index.parent.mkdir(parents=True)
    index.write_text(f"{fields}{place}Description: keys\n\n")
    name, size = index.relative_to(root / "dists/noble"), index.stat().st_size
    digest = hashlib.sha256(index.read_bytes()).hexdigest()
    head = f"Codename: noble\nComponents: main\nArchitectures: {machine}\n"
    (root / "dists/noble/Release").write_text(f"{head}SHA256:\n {digest} {size} {name}\n")
    return f"file:{root}"


@pytest.fixture
def keys() -> Iterator[Keys]:
    with throwaway_keys() as made:
        yield made


@pytest.fixture
def work(tmp_path: Path) -> Path:
    folder = tmp_path / "work"
    folder.mkdir()
    return folder


def test_a_missing_keyring_is_told_with_a_way_that_debian_offers(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match="Ubuntu's keys") as caught:
        archive_keyring("noble", (tmp_path, tmp_path / "own"))
    assert "toolsync series keyring noble" in caught.value.resolution
    assert "F6ECB3762474EDA9D21B7022871920D1991BC93C" in caught.value.resolution
    assert "apt install" not in caught.value.resolution
    with pytest.raises(SetupError, match="Debian's keys") as caught:
        archive_keyring("bookworm", (tmp_path,))
    assert "apt install debian-archive-keyring" in caught.value.resolution


def test_an_operators_own_keyring_counts_only_with_its_owners_keys(
    tmp_path: Path, keys: Keys
) -> None:
    own = keys.export(tmp_path / UBUNTU.file, keys.make("Mallory"))
    with pytest.raises(Unverified, match=r"wanted only: .*F6ECB3762474EDA9"):
        archive_keyring("noble", (tmp_path / "none", tmp_path))
    own.write_bytes(b"no key at all")
    with pytest.raises(Unverified, match="holds no key"):
        check_keyring(own, UBUNTU)


def test_a_mirror_that_gives_another_key_is_refused(tmp_path: Path, work: Path, keys: Keys) -> None:
    mirror = archive(tmp_path, keys.export(tmp_path / "m.asc", keys.make("Mallory")).read_bytes())
    with pytest.raises(Unverified, match="wanted only"):
        fetch_keyring("noble", mirror, work)


def test_a_package_without_the_keyring_is_refused(tmp_path: Path, work: Path) -> None:
    mirror = archive(tmp_path, b"", "another.gpg")
    with pytest.raises(Unverified, match="holds no ubuntu-archive-keyring"):
        fetch_keyring("noble", mirror, work)


def test_a_mirror_without_the_package_is_unreachable(tmp_path: Path, work: Path) -> None:
    with pytest.raises(Unreachable, match="gave no ubuntu-keyring for noble"):
        fetch_keyring("noble", f"file:{tmp_path}", work)
