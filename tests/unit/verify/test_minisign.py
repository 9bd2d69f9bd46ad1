"""Signatures by the real minisign: what proves a release, and the sentence of what does not."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.servers.web import Web
from tests.support.rig import Rig
from tests.support.tiny import LICENSE, accepted, archive, publish, write_tool
from toolsync.config.definition import Verify
from toolsync.config.settings import Limits
from toolsync.model.errors import SetupError, Unverified
from toolsync.model.release import Fetched, Release, Verified
from toolsync.setup.tools import load_tool
from toolsync.system.store import Store
from toolsync.verify.methods import pinned_in
from toolsync.verify.stage import verify

DATA = b"the release's bytes\n" * 50
NAME = "foo-2.0.tar.gz"


def minisign(*words: str | Path) -> None:
    subprocess.run(["minisign", *map(str, words)], check=True, capture_output=True, input=b"\n\n")


@dataclass
class Signer:
    """A key pair, and the files that it signs."""

    folder: Path

    def __post_init__(self) -> None:
        self.folder.mkdir()
        minisign("-G", "-W", "-f", "-p", self.folder / "k.pub", "-s", self.folder / "k.key")

    @property
    def key(self) -> str:
        return (self.folder / "k.pub").read_text().splitlines()[1]

    def sign(self, data: bytes, name: str = NAME, comment: str = "") -> bytes:
        path = self.folder / name
        path.write_bytes(data)
        more = ("-t", comment) if comment else ()
        minisign("-S", "-s", self.folder / "k.key", "-m", path, "-x", self.folder / "sig", *more)
        return (self.folder / "sig").read_bytes()


Judge = Callable[..., Verified]


@pytest.fixture
def ours(tmp_path: Path) -> Signer:
    return Signer(tmp_path / "ours")


@pytest.fixture
def judge(tmp_path: Path) -> Judge:
    folder = write_tool(
        tmp_path / "tools",
        "http://127.0.0.1/",
        name="foo",
        toml='[verify]\nmethod = "minisign"\nsignature = "{url}.minisig"\n'
        f'minisign = ["RW{"A" * 54}"]\n',
    )
    tool, store = load_tool(folder), Store(tmp_path / "store")

    def judged(data: bytes, signature: bytes | None, *pinned: str) -> Verified:
        policy = Verify(method="minisign", own={"minisign": list(pinned)})
        object.__setattr__(tool, "verify", policy)
        url = f"http://127.0.0.1/{NAME}"
        release = Release(
            tool="foo", version="2.0", raw_version="2.0", url=url, filename=NAME, page=url
        )
        extras = () if signature is None else (store.add_bytes(signature, "signature"),)
        item = Fetched(
            release=release, archive=store.add_bytes(data, NAME), final_url=url, extras=extras
        )
        now = datetime(2026, 1, 1, tzinfo=UTC)
        return verify(item, tool=tool, store=store, now=now, limits=Limits())

    return judged


def test_a_pinned_key_proves_it(judge: Judge, ours: Signer, tmp_path: Path) -> None:
    other = Signer(tmp_path / "other")
    found = judge(DATA, ours.sign(DATA), other.key, ours.key)
    assert (found.method, found.fingerprint, found.verdict) == ("minisign", ours.key, "good")
    assert f"signed by the minisign key {ours.key} (timestamp:" in found.statement
    assert found.signed_at.startswith("20")
    assert judge(DATA, ours.sign(DATA, comment="no words"), ours.key).signed_at == ""


@pytest.mark.parametrize("form", ["-l", "-H"])
@pytest.mark.parametrize("ends", [b"\n", b"\r\n"])
def test_signatures_of_both_forms_are_read(
    judge: Judge, ours: Signer, form: str, ends: bytes
) -> None:
    """Those of long ago are over the file itself, those of today over its BLAKE2b."""
    path = ours.folder / NAME
    path.write_bytes(DATA)
    minisign("-S", form, "-s", ours.folder / "k.key", "-m", path, "-x", ours.folder / "sig")
    signature = (ours.folder / "sig").read_bytes().replace(b"\n", ends)
    assert judge(DATA, signature, ours.key).verdict == "good"
    with pytest.raises(Unverified, match="no good minisign signature"):
        judge(DATA + b"!", signature, ours.key)


def test_what_does_not_prove_it_is_said(judge: Judge, ours: Signer, tmp_path: Path) -> None:
    other, good = Signer(tmp_path / "other"), ours.sign(DATA)
    forged = good.replace(b"timestamp:", b"timestamp:1")
    for data, signature, wanted in (
        (DATA + b"!", good, "no good minisign signature by RW.*verification failed"),
        (DATA, other.sign(DATA), "no good minisign signature by RW.*key id"),
        (DATA, forged, "no good minisign signature by RW.*[Cc]omment signature verification"),
        (DATA, b"<html>", "no good minisign signature by RW"),
        (DATA, b"", "no good minisign signature by RW"),
        (DATA, None, "has a missing signature"),
        (DATA, ours.sign(DATA, "foo-1.0.tar.gz"), "was signed as foo-1.0.tar.gz"),
    ):
        with pytest.raises(Unverified, match=wanted) as caught:
            judge(data, signature, ours.key)
        assert caught.value.resolution


def test_evidence_is_checked_for_who_must_have_signed() -> None:
    policy = {"method": "minisign", "keys": [], "own": {"minisign": ["RWa"]}}
    assert pinned_in(policy) == ["RWa"]


def test_a_key_that_is_none_is_told_at_once(tmp_path: Path) -> None:
    toml = '[verify]\nmethod = "minisign"\nsignature = "{url}.minisig"\n'
    folder = write_tool(tmp_path, "http://127.0.0.1/", toml=toml + 'minisign = ["untrusted"]\n')
    with pytest.raises(SetupError, match=r"verify\.minisign"):
        load_tool(folder)
    folder = write_tool(tmp_path, "http://127.0.0.1/", toml=toml)
    with pytest.raises(SetupError, match=r"verify\.minisign: missing; the method minisign needs"):
        load_tool(folder)


def test_a_tool_is_fetched_and_doctor_knows_the_program(rig: Rig, web: Web, ours: Signer) -> None:
    publish(web, "1.0")
    name = "hello-1.0.tar.gz"
    web.serve(f"/dl/{name}.minisig", ours.sign(archive("1.0"), name))
    toml = (
        f'[verify]\nmethod = "minisign"\nsignature = "{{url}}.minisig"\nminisign = ["{ours.key}"]\n'
    )
    write_tool(rig.tools, f"{web.url}/dl/", toml=toml + accepted(LICENSE))
    row = rig.json("fetch", "hello", "--output", rig.root / "out")
    assert (row["verify"], row["accepted"]) == ("good", True)
    told = json.loads(rig.run("doctor", "--json", status=None).stdout)
    looked = {one["subject"]: one for one in told}
    assert looked["program minisign"]["message"].endswith("minisign")
