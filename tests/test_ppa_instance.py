"""The whole way to a PPA and from there to an instance, with real parts only.

toolsync runs as people run it; gpg signs; dput uploads to Launchpad's own upload server; the
unmodified launchpadlib asks the Launchpad of the tests, whose builders' work is done by
dpkg-buildpackage and whose publisher is reprepro; apt installs in a clean chroot.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.chroots import Instance, make_chroot
from tests.keys import throwaway_keys
from tests.launchpad import LaunchpadServer
from tests.launchpad_archive import Ppa
from tests.launchpad_publisher import RepreproPublisher, build
from tests.rig import Rig
from tests.tiny import publish, write_tool
from tests.uploadserver import UploadServer
from tests.web import Web

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("uploadserver")]

SERIES = ("jammy", "noble", "resolute")
SETTINGS = """\
target = "ppa:maker/stable"
[http]
timeout = 10
retries = 1
[build]
tests = false
lint = false
[ppa]
host = "127.0.0.1:{server.ftp_port}"
alternative = ""
retries = 0
key = "{key}"
keyring = "{keyring}"
build_first = false
api = "{launchpad.service_root}"
archive = "{launchpad.url}"
"""


@dataclass(frozen=True)
class Way:
    """Everything between a vendor's page and an instance."""

    rig: Rig
    launchpad: LaunchpadServer
    server: UploadServer
    ppa: Ppa
    folder: Path
    asked: Counter[str] = field(default_factory=Counter)

    def sync(self, status: int) -> list[dict[str, Any]]:
        """Run toolsync and see that it ends with ``status``."""
        rows: list[dict[str, Any]] = self.rig.json("sync", "skytool", status=status)
        return rows

    def go(self, version: str) -> None:
        """Take a release from the vendor's page to where every series serves it."""
        before = len(self.server.sessions())
        self.sync(status=4)
        self.server.sessions(count=before + len(SERIES))
        self.let_launchpad_work()
        (row,) = self.sync(status=0)
        assert (row["status"], row["current"]) == ("up-to-date", version), row

    def table(self, what: str) -> int:
        """Print what the API was asked since the last table; return how often it was."""
        cost = self.launchpad.cost() - self.asked
        print(f"\n{what}: {cost.total()} requests to the API")  # noqa: T201
        for name, count in cost.most_common():
            print(f"  {count:3}  {name}")  # noqa: T201
        self.asked.update(cost)
        return cost.total()

    def let_launchpad_work(self) -> None:
        """Let uploads be decided, built and published; what is built here is built once."""
        self.launchpad.tick(minutes=10)
        for pub in self.ppa.sources:
            name = f"{pub.source.name}_{pub.version}_all.deb"
            if name not in self.ppa.debs:
                self.ppa.debs |= build(pub.source, self.folder / "builds")
        self.launchpad.tick(hours=1)


@pytest.fixture
def way(tmp_path: Path, web: Web) -> Iterator[Way]:
    with (
        throwaway_keys() as keys,
        throwaway_keys() as archives,
        UploadServer(tmp_path / "server") as server,
        LaunchpadServer(server.incoming) as launchpad,
    ):
        key = keys.make("maker")
        launchpad.add_person("maker", keys.export(tmp_path / "maker.asc", key))
        launchpad.publisher = RepreproPublisher(tmp_path / "published", archives)
        ppa = launchpad.add_ppa("maker", "stable")
        settings = SETTINGS.format(server=server, launchpad=launchpad, key=key, keyring=keys.home)
        rig = Rig(tmp_path, settings)
        rig.configure(settings, ", ".join(f'"{name}"' for name in SERIES))
        publish(web, "1.0", name="skytool")
        write_tool(rig.tools, f"{web.url}/dl/", "1.0", "1.1", name="skytool")
        yield Way(rig, launchpad, server, ppa, tmp_path)


def test_what_a_vendor_releases_is_installed_by_an_instance(
    way: Way, web: Web, tmp_path: Path
) -> None:
    way.go("1.0")
    assert {pub.series: pub.status for pub in way.ppa.sources} == dict.fromkeys(SERIES, "Published")
    origs = {data for p in way.ppa.sources for n, data in p.source.files.items() if ".orig." in n}
    assert len(origs) == 1
    way.table("a new release, three series")
    make_chroot(tmp_path)
    instance = Instance(tmp_path)
    instance.add_archive(way.rig.run("archive", "sources", "--series", "noble").stdout)
    instance.run("apt-get install -q -y skytool")
    assert instance.run("skytool") == "1.0\n"
    assert "~ubuntu24.04.1" in instance.run("dpkg-query -W skytool")
    instance.run("cd /tmp && apt-get source -q --download-only skytool")

    publish(web, "1.0", "1.1", name="skytool")
    way.go("1.1")
    instance.run("apt-get update -q && apt-get install -q -y --only-upgrade skytool")
    assert instance.run("skytool") == "1.1\n"
    assert {pub.status for pub in way.ppa.versions("skytool") if "1.0-" in pub.version} == {
        "Superseded"
    }
    way.table("the next release")
    way.sync(status=0)
    assert way.table("nothing to do") <= 10
    proof = way.rig.run("evidence", "skytool", "1.1", "--json").stdout
    for name, data in way.ppa.debs.items():
        assert (hashlib.sha256(data).hexdigest() in proof) == ("_1.1-" in name)
    assert not way.launchpad.mails or all("Accepted" in m.subject for m in way.launchpad.mails)
    assert not way.launchpad.dropped
    assert len(way.server.sessions()) == 2 * len(SERIES)
