"""What a vendor has recalled reaches instances: by the signed index, to the login notice."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

from tests.servers.web import Web
from tests.support.rig import ROOT, Rig
from tests.support.tiny import publish, write_tool

NOTICE = ROOT / "debian" / "motd" / "95-toolsync"


def description(rig: Rig) -> str:
    text = (rig.archive / "dists" / "bookworm" / "InRelease").read_text()
    found = re.search(r"^Description: (.*)$", text, re.MULTILINE)
    assert found
    return found[1]


@pytest.mark.slow
def test_a_recall_is_told_and_taken_back(rig: Rig, web: Web) -> None:
    publish(web, "1.0", "1.1")
    write_tool(rig.tools, web.url + "/dl/", "1.0", "1.1")
    rig.run("sync", "hello")
    assert "recalled" not in description(rig)
    publish(web, "1.0")
    rig.run("sync", "hello", status=3)
    assert description(rig).endswith("; recalled: hello=1.1-0debian1~ppa1~deb12.1")
    before = (rig.archive / "dists" / "bookworm" / "InRelease").read_bytes()
    rig.run("sync", "hello", status=3)
    assert (rig.archive / "dists" / "bookworm" / "InRelease").read_bytes() == before
    web.serve("/dl/", status=503)  # what was told stays while nothing can be learnt
    rig.run("sync", "hello", status=4)
    assert "recalled: hello=" in description(rig)
    publish(web, "1.0")  # nor does it help those who have it that we go on without it
    toml = rig.tools / "hello" / "tool.toml"
    toml.write_text(toml.read_text().replace("[verify]", 'ignore = { "1.1" = "bad" }\n[verify]', 1))
    rig.run("sync", "hello")
    assert "recalled: hello=" in description(rig)
    publish(web, "1.0", "1.1")
    rig.run("sync", "hello")
    assert "recalled" not in description(rig)


class Instance:
    """An instance: a dpkg database, apt's configuration, and a repository that it has fetched."""

    def __init__(self, root: Path) -> None:
        self.root, self.repo = root, root / "repo"
        for folder in ("etc/sources", "lists/partial", "cache", "dpkg", "repo"):
            (root / folder).mkdir(parents=True)
        self._conf = root / "apt.conf"
        settings = {
            "Dir::Etc": root / "etc",
            "Dir::Etc::sourceparts": root / "etc/sources",
            "Dir::Etc::parts": "/dev/null",
            "Dir::Etc::trusted": "/dev/null",
            "Dir::State": root,
            "Dir::State::lists": root / "lists",
            "Dir::State::status": root / "dpkg/status",
            "Dir::Cache": root / "cache",
            "APT::Sandbox::User": "",
        }
        self._conf.write_text("".join(f'{key} "{value}";\n' for key, value in settings.items()))
        (root / "etc/sources/t.list").write_text(f"deb [trusted=yes] file:{self.repo} ./\n")

    def installs(self, package: str, version: str, source: str = "") -> None:
        text = f"Package: {package}\nStatus: install ok installed\nArchitecture: all\n"
        text += f"Source: {source}\n" if source else ""
        text += f"Version: {version}\nMaintainer: x\nDescription: x\n\n"
        with (self.root / "dpkg/status").open("a") as handle:
            handle.write(text)

    def fetches(
        self, packages: dict[str, str], *, origin: str = "toolsync", more: str = ""
    ) -> None:
        stanzas = (
            f"Package: {name}\nVersion: {version}\nArchitecture: all\nFilename: ./x.deb\nSize: 1\n"
            f"SHA256: {'0' * 64}\n\n"
            for name, version in packages.items()
        )
        (self.repo / "Packages").write_text("".join(stanzas))
        digest = subprocess.run(
            ["sha256sum", self.repo / "Packages"], capture_output=True, text=True, check=True
        ).stdout.split()[0]
        size = (self.repo / "Packages").stat().st_size
        (self.repo / "Release").write_text(
            f"Origin: {origin}\nSuite: bookworm\nDate: Sat, 21 Nov 2026 09:00:00 UTC\n"
            f"Description: vendor tools{more}\nSHA256:\n {digest} {size} Packages\n"
        )
        self._apt("apt-get", "-qq", "update")

    def notice(self) -> str:
        done = self._apt(NOTICE)
        assert done.stderr == ""
        return done.stdout

    def _apt(self, *words: str | Path) -> subprocess.CompletedProcess[str]:
        env = os.environ | {"APT_CONFIG": str(self._conf), "DPKG_ADMINDIR": str(self.root / "dpkg")}
        return subprocess.run(words, env=env, capture_output=True, text=True, check=True)


def test_a_login_is_told_what_waits_and_what_was_recalled(tmp_path: Path) -> None:
    instance = Instance(tmp_path)
    instance.installs("hello", "1:1.9-1")
    instance.installs("world-bin", "2.0-1", source="world")
    instance.installs("other", "1")
    instance.fetches({"hello": "1:1.10-1", "world-bin": "2.0-1", "unwanted": "9"})
    assert instance.notice() == (
        "\nNewer cloud tools are waiting (apt upgrade):\n  hello 1:1.10-1 (installed: 1:1.9-1)\n"
    )
    instance.fetches({"hello": "1:1.9-1"}, more="; recalled: hello=1:1.9-2 world=2.0-1")
    assert instance.notice() == "\nRECALLED by the vendor, and installed here:\n  world 2.0-1\n"


def test_a_login_is_told_nothing_of_other_archives(tmp_path: Path) -> None:
    instance = Instance(tmp_path)
    instance.installs("hello", "1")
    instance.fetches({"hello": "2"}, origin="toolsync-not", more="; recalled: hello=1")
    assert instance.notice() == ""
