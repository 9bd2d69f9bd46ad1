"""From a vendor's page through a PPA to an instance: apt installs in a clean chroot."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.servers.launchpad_publisher import RepreproPublisher
from tests.servers.web import Web
from tests.support.chroots import Instance, make_chroot
from tests.support.ppaway import SERIES, TARGET, Way, opened_way
from tests.support.tiny import publish, write_tool

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("uploadserver")]


@pytest.fixture
def way(tmp_path: Path, web: Web) -> Iterator[Way]:
    with opened_way(tmp_path, "skytool") as found:
        publisher = RepreproPublisher(tmp_path / "published", found.archive_keys)
        found.launchpad.publisher = publisher
        publish(web, "1.0", name="skytool")
        write_tool(found.rig.tools, f"{web.url}/dl/", "1.0", "1.1", name="skytool")
        yield found


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
    instance.add_archive(way.run("archive", "sources", "--target", TARGET, "--series", "noble"))
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
    proof = way.run("evidence", "skytool", "1.1", "--json")
    for name, data in way.ppa.debs.items():
        assert (hashlib.sha256(data).hexdigest() in proof) == ("_1.1-" in name)
    assert not way.launchpad.mails or all("Accepted" in m.subject for m in way.launchpad.mails)
    assert not way.launchpad.dropped
    assert len(way.server.sessions()) == 2 * len(SERIES)
