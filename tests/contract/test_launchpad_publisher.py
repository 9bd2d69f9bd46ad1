"""Published files of the Launchpad that other tests run against: a real archive, signed."""

from __future__ import annotations

import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.servers.launchpad import LaunchpadServer
from tests.servers.launchpad_publisher import RepreproPublisher
from tests.support.keys import Keys, throwaway_keys
from tests.support.uploads import NOBLE, PLACE, write_upload

NEWER = NOBLE.replace("1.0", "1.1", 1)


@pytest.fixture
def keys() -> Iterator[Keys]:
    with throwaway_keys() as made:
        yield made


@pytest.fixture
def launchpad(tmp_path: Path, keys: Keys) -> Iterator[LaunchpadServer]:
    (tmp_path / "incoming").mkdir()
    with LaunchpadServer(tmp_path / "incoming") as server:
        signer = keys.make("maker")
        server.add_person("maker", keys.export(tmp_path / "maker.asc", signer))
        server.add_ppa("maker", "stable")
        server.publisher = RepreproPublisher(tmp_path / "published", keys)
        for version in (NOBLE, NEWER):
            write_upload(tmp_path / version, keys, signer, version=version)
        yield server


def deb(folder: Path, version: str) -> dict[str, bytes]:
    """Return what a build of an upload would make, by name."""
    control = folder / version / "tree" / "DEBIAN" / "control"
    control.parent.mkdir(parents=True)
    control.write_text(
        f"Package: tiny\nVersion: {version}\nArchitecture: all\nMaintainer: M <m@m.invalid>\n"
        "Section: utils\nPriority: optional\nDescription: tiny\n"
    )
    name = f"tiny_{version}_all.deb"
    subprocess.run(
        ["dpkg-deb", "--root-owner-group", "-Znone", "--build", "tree", name],
        cwd=folder / version,
        check=True,
        capture_output=True,
    )
    return {name: (folder / version / name).read_bytes()}


def get(launchpad: LaunchpadServer, path: str) -> bytes:
    with urllib.request.urlopen(f"{launchpad.url}/maker/stable/ubuntu/{path}") as answer:
        return bytes(answer.read())


def test_what_is_published_is_an_archive_that_its_own_key_signs(
    launchpad: LaunchpadServer, tmp_path: Path
) -> None:
    ppa = launchpad.ppas["maker", "stable"]
    launchpad.receive(tmp_path / NOBLE, PLACE)
    ppa.debs |= deb(tmp_path, NOBLE)
    launchpad.tick(minutes=20)
    with pytest.raises(urllib.error.HTTPError, match="404") as caught:
        get(launchpad, "dists/noble/InRelease")
    caught.value.close()
    launchpad.tick(minutes=40)
    launchpad.add_person("ppa", tmp_path / "published" / "maker-stable.asc")
    (tmp_path / "InRelease").write_bytes(get(launchpad, "dists/noble/InRelease"))
    signer, text = launchpad.signer(tmp_path / "InRelease")
    assert signer == "ppa"
    assert b"Origin: LP-PPA-maker-stable\n" in text
    packages = get(launchpad, "dists/noble/main/binary-amd64/Packages").decode()
    name = next(line[10:] for line in packages.splitlines() if line.startswith("Filename: "))
    assert get(launchpad, name) == ppa.debs[f"tiny_{NOBLE}_all.deb"]
    assert get(launchpad, f"pool/main/t/tiny/tiny_{NOBLE}.debian.tar.xz") == NOBLE.encode()


def test_what_is_superseded_is_no_longer_served(launchpad: LaunchpadServer, tmp_path: Path) -> None:
    for version in (NOBLE, NEWER):
        launchpad.receive(tmp_path / version, PLACE)
        launchpad.ppas["maker", "stable"].debs |= deb(tmp_path, version)
        launchpad.tick(hours=1)
    sources = get(launchpad, "dists/noble/main/binary-amd64/Packages").decode()
    assert [line for line in sources.splitlines() if line.startswith("Version: ")] == [
        f"Version: {NEWER}"
    ]
