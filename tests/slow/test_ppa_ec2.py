"""`toolsync sync ec2-ami-tools --target ppa:…` with the shipped definition and real parts only.

A bucket on the loopback, written in S3's XML, holds archives of the vendor's layout; everything
that follows is what runs anywhere else, see `ppaway`. Each run is told as `status --json` has it.
"""

from __future__ import annotations

import hashlib
import io
import lzma
import re
import sys
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.servers.s3 import follow_bucket, serve_bucket
from tests.servers.web import Web
from tests.support.ppaway import SERIES, TARGET, Way, opened_way
from tests.support.trees import ami_zip

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("uploadserver")]

TOOL, VERSION = "ec2-ami-tools", "1.5.19"
LINES: list[str] = []
"""What the runs of this file came to, printed at its end."""


@pytest.fixture(scope="module", autouse=True)
def told() -> Iterator[None]:
    yield
    head = f"toolsync sync {TOOL} --target {TARGET}: the states after each run"
    sys.stdout.write("\n".join(["", head, *LINES, ""]))


def started(way: Way, web: Web) -> None:
    """Let the vendor release."""
    data = ami_zip(VERSION)
    serve_bucket(web, [(f"{TOOL}-{VERSION}.zip", data), (f"{TOOL}.zip", b"the newest")])
    follow_bucket(way.rig.tools, web, TOOL, {VERSION: data})


def told_of(way: Way, text: str) -> str:
    """Return a text without what is another in each run of the tests."""
    text = re.sub(r"[^ ]*/upload-\w+/", "", text.replace(way.launchpad.url, "https://launchpad"))
    return text.replace("127.0.0.1:", "ppa:")


def run(way: Way, what: str, status: int) -> dict[str, dict[str, Any]]:
    """Run once; return the uploads as `status --json` tells of them."""
    message = told_of(way, way.sync(status)["message"].partition("; also: ")[0])
    uploads = way.uploads()
    states = "".join(f"{uploads[name]['state']:<13}" for name in SERIES)
    LINES.extend((f"{way.method:<5} {what:<34} exit {status}  {states}", f"      {message}"))
    return uploads


def all_are(state: str) -> dict[str, str]:
    return dict.fromkeys(SERIES, state)


def states(uploads: dict[str, dict[str, Any]]) -> dict[str, str]:
    return {name: upload["state"] for name, upload in uploads.items()}


@pytest.fixture(scope="module")
def debs() -> dict[str, bytes]:
    """What was built, so that nothing is built twice."""
    return {}


@pytest.mark.parametrize("method", ["ftp", "sftp"])
def test_every_state_on_the_way_to_three_series(
    method: str, tmp_path: Path, web: Web, debs: dict[str, bytes]
) -> None:
    with opened_way(tmp_path, TOOL, method) as way:
        started(way, web)
        launchpad, server = way.launchpad, way.server
        server.fault("refuse", when=".orig.", times=len(SERIES))
        assert states(run(way, "the server refuses the orig", 4)) == all_are("claimed")
        came = len(server.sessions(count=len(SERIES)))
        launchpad.tick(minutes=1)
        assert states(run(way, "it takes all files", 4)) == all_are("sent")
        server.sessions(count=came + len(SERIES))
        launchpad.tick(minutes=6)
        launchpad.fault("getBuilds", status=503, retry_after=0, times=-1)
        assert states(run(way, "accepted, builds not told of", 4)) == all_are("accepted")
        launchpad.clear_faults()
        uploads = run(way, "builders at work", 4)
        assert states(uploads) == all_are("building")
        shown = way.run("status", TOOL)
        LINES.extend(("      status:", *told_of(way, shown).splitlines()[:5]))
        for record in (record for upload in uploads.values() for record in upload["records"]):
            assert record in shown
        way.ppa.debs |= debs
        way.build()
        debs |= way.ppa.debs
        launchpad.tick(hours=1)
        assert states(run(way, "published, not yet on the disk", 4)) == all_are("published")
        way.serve()
        assert states(run(way, "on the disk: apt gets it", 0)) == all_are("confirmed")
        what_is_there_is_what_was_sent(way)


def what_is_there_is_what_was_sent(way: Way) -> None:
    """See that the evidence names Launchpad's records, and the one orig of all series."""
    assert {pub.series: pub.status for pub in way.ppa.sources} == all_are("Published")
    origs = {data for p in way.ppa.sources for n, data in p.source.files.items() if ".orig." in n}
    shown = told_of(way, way.run("evidence", TOOL, VERSION)).partition("      launchpad:\n")[2]
    LINES.extend(("      evidence, of jammy:", *shown.splitlines()[:9]))
    proof = way.json("evidence", TOOL, VERSION)["predicate"]
    (orig,) = origs
    assert hashlib.sha256(orig).hexdigest() == proof["unpack"]["orig"]["sha256"]
    assert proof["series"]["noble"]["build"]["outcome"] == "skipped"
    assert {upload["series"] for upload in proof["uploads"]} == set(SERIES)
    for upload in proof["uploads"]:
        record = upload["detail"]["launchpad"]
        assert upload["state"] == "confirmed"
        (pub,) = (p for p in way.ppa.sources if p.series == upload["series"])
        assert record["publication"].endswith(f"/~maker/+archive/ubuntu/stable/+sourcepub/{pub.id}")
        (build,) = record["builds"]
        assert build["state"] == "Successfully built"
        assert build["url"].endswith(f"/+build/{way.ppa.builds_of(pub)[0].id}")
    stanza = way.run("archive", "sources", "--target", TARGET, "--series", "noble")
    assert "Suites: noble\n" in stanza
    assert "BEGIN PGP PUBLIC KEY BLOCK" in stanza
    assert way.launchpad.dropped == {"no .changes": 3}  # the tries that the server refused
    assert [mail.subject.rpartition("(")[2] for mail in way.launchpad.mails] == ["Accepted)"] * 3


def test_an_orig_that_ubuntu_has_is_used_where_it_holds_the_same(tmp_path: Path, web: Web) -> None:
    with opened_way(tmp_path, TOOL, more="apt = false") as way:
        started(way, web)
        theirs = packed_by_hand(ami_zip(VERSION))
        way.launchpad.add_to_ubuntu(TOOL, f"{VERSION}-0ubuntu1", theirs)
        assert states(run(way, "Ubuntu has the orig, packed else", 4)) == all_are("sent")
        way.server.sessions(count=len(SERIES))
        way.launchpad.tick(hours=1)
        assert states(run(way, "published with that", 0)) == all_are("confirmed")
        origs = {d for p in way.ppa.sources for n, d in p.source.files.items() if ".orig." in n}
        assert origs == {theirs}
        proof = way.json("evidence", TOOL, VERSION)["predicate"]
        digest = hashlib.sha256(theirs).hexdigest()
        assert proof["unpack"]["orig"]["sha256"] != digest
        for series in SERIES:
            (said,) = proof["series"][series]["package"]["findings"]
            assert said["code"] == "known-orig"
            assert (
                f"{TARGET} has {TOOL}_{VERSION}.orig.tar.xz with sha256 {digest}" in said["message"]
            )
        proofs = tmp_path / "proofs"
        way.run("evidence", TOOL, VERSION, "--output", str(proofs))
        file = proofs / f"{TOOL}_{VERSION}.intoto.json"
        told = way.run("evidence", "--verify", str(file), "--files", str(proofs))
        assert "that of the target has the same content" in told


def packed_by_hand(vendors: bytes, *more: str) -> bytes:
    """Return a zip's files as an orig, as somebody packs them on some day, and some ``more``."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(vendors)) as files, tarfile.open(fileobj=out, mode="w") as tar:
        for member in files.infolist():
            info = tarfile.TarInfo(member.filename.rstrip("/"))
            info.type = tarfile.DIRTYPE if member.is_dir() else tarfile.REGTYPE
            info.mode, info.uname = member.external_attr >> 16 & 0o7777, "somebody"
            info.size, info.mtime = member.file_size, 1_700_000_000
            tar.addfile(info, io.BytesIO(files.read(member)))
        for name in more:
            tar.addfile(tarfile.TarInfo(name))
    return lzma.compress(out.getvalue())


def test_rejected(tmp_path: Path, web: Web) -> None:
    with opened_way(tmp_path, TOOL) as way:
        started(way, web)
        theirs = packed_by_hand(ami_zip(VERSION), f"{TOOL}-{VERSION}/added")
        way.launchpad.add_to_ubuntu(TOOL, f"{VERSION}-0ubuntu1", theirs)
        uploads = run(way, "Ubuntu has another orig", 3)
        assert states(uploads) == all_are("rejected")
        for upload in uploads.values():
            assert "different contents; in the known one 'added' is a file" in upload["said"]
        assert way.server.sessions() == []


def test_lost(tmp_path: Path, web: Web) -> None:
    with opened_way(tmp_path, TOOL) as way:
        started(way, web)
        way.ppa.authorized_size = 0  # Launchpad rejects by a mail, and shows nothing
        assert states(run(way, "the PPA is full", 4)) == all_are("sent")
        way.server.sessions(count=len(SERIES))
        way.launchpad.tick(minutes=50)
        assert states(run(way, "50 minutes later", 4)) == all_are("sent")
        way.launchpad.tick(minutes=15)
        uploads = run(way, "65 minutes later", 3)
        assert states(uploads) == all_are("lost")
        assert "read it" in way.run("why", TOOL)
        assert {mail.subject.rpartition("(")[2] for mail in way.launchpad.mails} == {"Rejected)"}
        assert len(way.server.sessions()) == len(SERIES)


def test_build_failed_and_stuck_hide_no_other_series(tmp_path: Path, web: Web) -> None:
    with opened_way(tmp_path, TOOL, more="apt = false") as way:
        started(way, web)
        way.ppa.script_builds("Needs building", "Failed to build", series="jammy")
        way.ppa.script_builds("Dependency wait", series="noble")
        assert states(run(way, "sent", 4)) == all_are("sent")
        way.server.sessions(count=len(SERIES))
        way.launchpad.tick(hours=1)
        uploads = run(way, "jammy fails, noble waits", 3)
        assert states(uploads) == {
            "jammy": "build-failed",
            "noble": "building",
            "resolute": "confirmed",
        }
        assert "amd64 Failed to build" in uploads["jammy"]["said"]
        way.launchpad.clock.sleep(50 * 3600)
        uploads = run(way, "50 hours later", 3)
        assert states(uploads)["noble"] == "stuck"
        assert "wanted: 48 hours at most" in uploads["noble"]["said"]
