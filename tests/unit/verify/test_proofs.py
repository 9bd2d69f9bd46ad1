"""Each proof beside a file against good, tampered and foreign ones, made by the real programs."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.servers.web import Web
from tests.support.rig import Rig
from tests.support.signers import MAKERS, signify, ssh
from tests.support.tiny import LICENSE, accepted, archive, publish, write_tool
from toolsync.model.errors import Unverified
from toolsync.setup.tools import load_tool
from toolsync.verify.alone import prove
from toolsync.verify.beside import LIMIT
from toolsync.verify.methods import METHODS

DATA = b"the release's bytes\n" * 50
NAME = "foo-2.0.tar.gz"
NOW = datetime(2026, 1, 1, tzinfo=UTC)

SENTENCES: Mapping[str, Mapping[str, str]] = {
    "minisign": {
        "good": "signed by the minisign key RW",
        "tampered": "no good minisign signature by RW.*verification failed",
        "other key": "no good minisign signature by RW.*key id",
        "other file": "was signed as foo-1.0.tar.gz",
        "none": "has a missing signature",
        "html": "no good minisign signature by RW",
    },
    "signify": {
        "good": "signed by the signify key RW",
        "tampered": "no good signify signature by RW.*: signature verification failed",
        "other key": "no good signify signature by RW.*checked against wrong key",
        "other file": "no good signify signature by RW.*: signature verification failed",
        "none": "has a missing signature",
        "html": "no good signify signature by RW.*invalid comment",
    },
    "ssh": {
        "good": r"signed by the SSH key SHA256:.* \(Release Team\)",
        "tampered": "bad signature: it names the SSH key SHA256:.* made over another file",
        "other key": r"signed by the SSH key SHA256:.* \(ssh-ed25519\); wanted: one by SHA256",
        "other file": "bad signature: it names the SSH key SHA256:.* made over another file",
        "none": "has a missing signature",
        "html": "no SSH signature; wanted: one by SHA256",
    },
}
"""By method and what was done to the file or its proof: the sentence. Only a key of OpenPGP and a
certificate of sigstore have an end; those of minisign, signify and SSH have none."""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / NAME
    path.write_bytes(DATA)
    return path


def judged(file: Path, proof: Path | None, method: str, *pins: str) -> str:
    """Return the statement of a proof, or the sentence with which it is refused."""
    listed = ", ".join(f'"{pin}"' for pin in pins)
    toml = f'[verify]\nmethod = "{method}"\nsignature = "{{url}}.x"\n{method} = [{listed}]\n'
    folder = write_tool(file.parent / "tools", "http://127.0.0.1/", name="foo", toml=toml)
    try:
        return prove(file, proof, load_tool(folder), METHODS[method], NOW).statement
    except Unverified as error:
        return str(error) if error.resolution else "nothing to do next"


@pytest.mark.parametrize("method", MAKERS)
def test_what_proves_a_file_and_the_sentence_of_what_does_not(
    file: Path, tmp_path: Path, method: str
) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    ours, other = MAKERS[method](tmp_path / "a"), MAKERS[method](tmp_path / "b")
    good, theirs, old, html = (tmp_path / name for name in ("good", "theirs", "old", "html"))
    older = tmp_path / "foo-1.0.tar.gz"
    older.write_bytes(DATA if method == "minisign" else b"the old bytes\n")
    ours.sign(file, good)
    other.sign(file, theirs)
    ours.sign(older, old)
    html.write_bytes(b"<html>")
    told = {
        "good": judged(file, good, method, other.pin, ours.pin),
        "other key": judged(file, theirs, method, ours.pin),
        "other file": judged(file, old, method, ours.pin),
        "none": judged(file, None, method, ours.pin),
        "html": judged(file, html, method, ours.pin),
    }
    file.write_bytes(DATA + b"!")
    told["tampered"] = judged(file, good, method, ours.pin)
    for case, sentence in SENTENCES[method].items():
        assert re.search(sentence, told[case]), f"{case}: {told[case]}"


def test_an_ssh_signature_for_another_use_is_refused(file: Path, tmp_path: Path) -> None:
    ours, proof = ssh(tmp_path, "git"), tmp_path / "proof"
    ours.sign(file, proof)
    assert "made for the namespace 'git'; wanted: 'file'" in judged(file, proof, "ssh", ours.pin)


def test_a_list_that_carries_its_signature(file: Path, tmp_path: Path) -> None:
    sums, proof = tmp_path / "SHA256", tmp_path / "SHA256.sig"
    sums.write_text(f"SHA256 ({NAME}) = {hashlib.sha256(DATA).hexdigest()}\n")
    ours = signify(tmp_path, "-e")
    ours.sign(sums, proof)
    assert "sha256 as stated by a list signed by" in judged(file, proof, "signify", ours.pin)
    file.write_bytes(b"!")
    assert "does not match its checksum file" in judged(file, proof, "signify", ours.pin)
    proof.write_bytes(proof.read_bytes().replace(b"SHA256 (", b"SHA512 ("))
    assert "signature verification failed" in judged(file, proof, "signify", ours.pin)


@pytest.mark.parametrize("method", MAKERS)
def test_hostile_proofs_end_in_a_sentence(file: Path, tmp_path: Path, method: str) -> None:
    ours, proof = MAKERS[method](tmp_path), tmp_path / "proof"
    ours.sign(file, proof)
    good = proof.read_bytes()
    for bad in (b"", b"\0" * 5000, good[:60], good[: len(good) // 2], good[:-30] + b"\xff" * 20):
        proof.write_bytes(bad)
        assert "signature" in judged(file, proof, method, ours.pin)
    proof.write_bytes(b"a" * (LIMIT + 1))
    assert "is too large" in judged(file, proof, method, ours.pin)


@pytest.mark.parametrize(
    ("method", "ending"), [("minisign", "minisig"), ("signify", "sig"), ("ssh", "sig")]
)
def test_add_fetch_verify_and_doctor_know_it(
    rig: Rig, web: Web, tmp_path: Path, method: str, ending: str
) -> None:
    name, path = "hello-1.0.tar.gz", tmp_path / "hello-1.0.tar.gz"
    path.write_bytes(archive("1.0"))
    proof, ours = tmp_path / f"{name}.{ending}", MAKERS[method](tmp_path)
    ours.sign(path, proof)
    publish(web, "1.0")
    web.serve(f"/dl/{name}.{ending}", proof.read_bytes())
    web.serve("/beside/", f'<a href="../dl/{name}">a</a> <a href="../dl/{name}.{ending}">b</a>')
    rig.run("add", f"{web.url}/beside/", "--name", "added", "--yes")
    text = (rig.tools / "added" / "tool.toml").read_text()
    assert f'# method = "{method}"\n# signature = "{{url}}.{ending}"\n# {method} = ["KEY"]' in text
    toml = f'[verify]\nmethod = "{method}"\nsignature = "{{url}}.{ending}"\n'
    toml += f'{method} = ["{ours.pin}"]\n'
    write_tool(rig.tools, f"{web.url}/dl/", toml=toml + accepted(LICENSE))
    row = rig.json("fetch", "hello", "--output", rig.root / "out")
    assert (row["verify"], row["accepted"]) == ("good", True)
    found = rig.json("verify", str(path), "--tool", "hello")
    assert (found["verdict"], "signed by the" in found["sentence"]) == ("good", True)
    told = json.loads(rig.run("doctor", "--json", status=None).stdout)
    program = METHODS[method].programs(load_tool(rig.tools / "hello").verify)[0]
    assert f"program {program}" in {one["subject"] for one in told}
    path.write_bytes(b"other")
    told = json.loads(rig.run("verify", path, "--tool", "hello", "--json", status=3).stdout)
    assert told["verdict"] == "bad"
