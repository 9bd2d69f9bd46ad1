"""The words that toolsync prints for apt bring the archive's package, by real apt."""

from __future__ import annotations

import hashlib
import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from toolsync.config.asking import to_install
from toolsync.config.settings import Config, Local

_QUIET = "NotAutomatic: yes\nButAutomaticUpgrades: yes\n"


def settings(local: Local, target: str = "local") -> Config:
    """Return a set-up."""
    return Config(
        file=Path("toolsync.toml"), state=Path("state"), tool_folders=(), target=target, local=local
    )


def flat(root: Path, origin: str, name: str, packages: Mapping[str, str], more: str = "") -> str:
    """Make an archive in one folder; return the line by which apt reads it."""
    folder = root / origin
    folder.mkdir()
    text = "".join(
        f"Package: {package}\nVersion: {version}\nArchitecture: all\nDescription: none\n"
        f"Maintainer: nobody <nobody@example.com>\nFilename: ./{package}.deb\nSize: 1\n"
        f"SHA256: {'0' * 64}\n" + ("" if package == "library" else "Depends: library\n") + "\n"
        for package, version in packages.items()
    )
    (folder / "Packages").write_text(text)
    digest = hashlib.sha256(text.encode()).hexdigest()
    (folder / "Release").write_text(
        f"Origin: {origin}\nSuite: {name}\nCodename: {name}\n{more}"
        f"Date: Fri, 27 Nov 2026 00:00:00 UTC\nSHA256:\n {digest} {len(text)} Packages\n"
    )
    return f"deb [trusted=yes] file:{folder} ./\n"


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    """A root of apt's, with a series, its security updates, and the archive."""
    for folder in ("lists/partial", "cache/archives/partial"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "status").touch()
    (tmp_path / "sources.list").write_text(
        flat(tmp_path, "Debian", "bookworm", {"shared": "1", "library": "1"})
        + flat(tmp_path, "Security", "bookworm-security", {"library": "1.1"})
        + flat(tmp_path, "toolsync", "bookworm", {"shared": "2", "ours": "3"}, _QUIET)
    )
    (tmp_path / "apt.conf").write_text(
        f'Dir::State "{tmp_path}"; Dir::State::lists "{tmp_path}/lists";'
        f' Dir::State::status "{tmp_path}/status"; Dir::Cache "{tmp_path}/cache";'
        f' Dir::Etc::sourcelist "{tmp_path}/sources.list"; Dir::Etc::sourceparts "/nowhere";'
        ' Dir::Etc::preferences "/nowhere"; Dir::Etc::preferencesparts "/nowhere";'
        ' APT::Sandbox::User "root";'
    )
    apt(tmp_path, "update")
    return tmp_path


def apt(machine: Path, *words: str) -> dict[str, str]:
    """Return what apt would install: version by name."""
    env = os.environ | {"APT_CONFIG": str(machine / "apt.conf"), "LC_ALL": "C"}
    done = subprocess.run(
        ["apt-get", "-q", "-s", *words] if words[0] != "update" else ["apt-get", *words],
        env=env,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    rows = [line.split() for line in done.stdout.splitlines() if line.startswith("Inst ")]
    return {row[1]: row[2].lstrip("(") for row in rows}


def test_the_archives_package_comes_with_what_it_needs_as_ever(machine: Path) -> None:
    words = to_install(settings(Local()), ["shared", "ours"], "bookworm")
    wanted = {"library": "1.1", "shared": "2", "ours": "3"}
    assert apt(machine, "install", *words.split()) == wanted
    bare = {"library": "1.1", "shared": "1"}
    assert apt(machine, "install", "shared") == bare  # nothing unasked
    late = apt(machine, "install", "-t", "bookworm", "shared")
    assert late["library"] == "1"  # why `-t` is not what is printed


@pytest.mark.parametrize(
    ("target", "local"), [("local", Local(automatic=True)), ("ppa:someone/tools", Local())]
)
def test_a_bare_name_is_enough_where_the_archive_offers_by_itself(
    target: str, local: Local
) -> None:
    assert to_install(settings(local, target), ["a", "b"], "noble") == "a b"
