"""Sigstore's proofs: bundles of an authority of our own, a genuine one, and what is none."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.support.rig import ROOT
from tests.support.sigstorage import BIN, IDENTITY, ISSUER, SLSA, attestation, make, statement
from tests.support.tiny import write_tool
from tests.unit.verify.test_proofs import NOW
from toolsync.model.errors import ProgramMissing, SetupError, Unverified
from toolsync.setup.tools import load_tool
from toolsync.system.programs import how_to_get
from toolsync.verify.alone import prove
from toolsync.verify.bundles import bundles_in
from toolsync.verify.file import verify_file
from toolsync.verify.sigstore import SIGSTORE

DATA = b"the release's bytes\n"
NAME = "foo-2.0.tar.gz"
OURS = hashlib.sha256(DATA).hexdigest()
OTHER = hashlib.sha256(b"the old bytes\n").hexdigest()
GENUINE = ROOT / "tests" / "data" / "sigstore"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of bundles and roots of trust."""
    folder = tmp_path_factory.mktemp("bundles")
    make(
        folder,
        [
            {"name": "good", "sha256": OURS},
            {"name": "mail", "sha256": OURS, "identity": "me@foo.test"},
            {"name": "issuer", "sha256": OURS, "issuer": "https://other.test"},
            {"name": "file", "sha256": OTHER},
            {"name": "expired", "sha256": OURS, "ended": 3600},
            {"name": "foreign", "sha256": OURS, "root": "theirs"},
            {"name": "slsa", "statement": statement(f"dist/{NAME}", OURS)},
            {"name": "old-slsa", "statement": statement(NAME, OTHER)},
            {"name": "pypi", "statement": statement(NAME, OURS, "https://docs.pypi.org/x/v1")},
        ],
    )
    good = json.loads((folder / "good.json").read_text())
    signature = good["messageSignature"]["signature"]
    good["messageSignature"]["signature"] = signature[:20] + signature[24:] + signature[20:24]
    (folder / "tampered.json").write_text(json.dumps(good))
    stated = json.loads((folder / "slsa.json").read_text())
    payload = stated["dsseEnvelope"]["payload"]
    stated["dsseEnvelope"]["payload"] = payload[:-8] + "IH19ICAg"
    (folder / "tampered-slsa.json").write_text(json.dumps(stated))
    return folder


@pytest.fixture
def in_path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(BIN), prepend=":")


def tool_at(folder: Path, made: Path | None, *identities: str, **more: str) -> Any:
    pins = ", ".join(f'"{one}"' for one in identities or (IDENTITY,))
    own = {"issuer": ISSUER, "signature": "{url}.sigstore.json", **more}
    lines = "".join(f'{key} = "{value}"\n' for key, value in own.items())
    toml = f'[verify]\nmethod = "sigstore"\nidentity = [{pins}]\n{lines}'
    place = write_tool(folder / "tools", "http://127.0.0.1/", name="foo", toml=toml)
    if made:
        (place / "keys").mkdir(exist_ok=True)
        shutil.copy(made / "ours.trusted_root.json", place / "keys" / "trusted_root.json")
    return load_tool(place)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / NAME
    path.write_bytes(DATA)
    return path


def judged(file: Path, proof: Path | None, made: Path, *identities: str, **more: str) -> str:
    """Return the statement of a proof, or the sentence with which it is refused."""
    tool = tool_at(file.parent, made, *identities, **more)
    try:
        return prove(file, proof, tool, SIGSTORE, NOW).statement
    except Unverified as error:
        return str(error) if error.resolution else "nothing to do next"


SENTENCES = {
    "good": f"^signed by {re.escape(IDENTITY)}, for whom https://token.test vouches, by keys/trust",
    "tampered": "has a bad Sigstore signature: it was made over another file or over other bytes",
    "mail": "is signed by another identity: me@foo.test; wanted: https://github.com/o/foo/",
    "issuer": "another issuer vouches: https://other.test; wanted: https://token.test",
    "expired": "the certificate that signed foo-2.0.tar.gz had expired when it was used",
    "file": r"has a bad Sigstore signature: it was made over another file .*digest mismatch",
    "foreign": "is by an authority that the root of trust does not know",
    "slsa": rf"^stated \({SLSA}\) by https://github.com/o/foo/",
    "old-slsa": "bad Sigstore signature: it was made over another file .*no subject for digest",
    "tampered-slsa": "no good Sigstore proof by|has a bad Sigstore signature",
}


@pytest.mark.usefixtures("in_path")
@pytest.mark.parametrize("proof", SENTENCES)
def test_what_proves_a_file_and_the_sentence_of_what_does_not(
    proof: str, file: Path, made: Path
) -> None:
    assert re.search(SENTENCES[proof], judged(file, made / f"{proof}.json", made))


@pytest.mark.usefixtures("in_path")
def test_forms_in_which_bundles_lie_beside_files(file: Path, made: Path, tmp_path: Path) -> None:
    bundle = json.loads((made / "slsa.json").read_text())
    other = json.loads((made / "mail.json").read_text())
    pypi = attestation(json.loads((made / "pypi.json").read_text()))
    forms = {
        "lines": f"{json.dumps(other)}\n{json.dumps(bundle)}\n",
        "github": json.dumps({"attestations": [{"bundle": bundle, "repository_id": 1}]}),
        "attestation": json.dumps(pypi),
        "provenance": json.dumps(
            {
                "version": 1,
                "attestation_bundles": [{"publisher": {"kind": "GitHub"}, "attestations": [pypi]}],
            }
        ),
    }
    for name, text in forms.items():
        proof = tmp_path / name
        proof.write_text(text)
        assert SIGSTORE.knows(text.encode())
        assert "stated (https://" in judged(file, proof, made), name
    assert judged(file, tmp_path / "lines", made, predicate="https://x.test/v1").endswith(
        f"is {SLSA}; wanted: https://x.test/v1"
    )
    none = tmp_path / "none"
    none.write_text("<html>")
    assert "is no Sigstore bundle: it begins with b'<html>'" in judged(file, none, made)
    assert "has a missing signature: none was found beside it; wanted: one by https://gi" in judged(
        file, None, made
    )


@pytest.mark.usefixtures("in_path")
@pytest.mark.parametrize("name", ["good", "slsa"])
@pytest.mark.parametrize("number", ["0.1", "0.2", "0.3"])
def test_bundles_of_older_versions(
    name: str, number: str, file: Path, made: Path, tmp_path: Path
) -> None:
    bundle = json.loads((made / f"{name}.json").read_text())
    bundle["mediaType"] = f"application/vnd.dev.sigstore.bundle+json;version={number}"
    if number != "0.3":  # they hold the certificate as the one of a chain
        material = bundle["verificationMaterial"]
        chain = {"certificates": [material.pop("certificate")]}
        material["x509CertificateChain"] = chain
    proof = tmp_path / "bundle.json"
    proof.write_text(json.dumps(bundle))
    assert f"by {IDENTITY}, for whom" in judged(file, proof, made)
    file.write_bytes(DATA + b"!")
    assert "another file or over other bytes" in judged(file, proof, made)


@pytest.mark.usefixtures("in_path")
def test_what_is_noted_of_a_proof(file: Path, made: Path, tmp_path: Path) -> None:
    tool = tool_at(tmp_path, made, "nobody", IDENTITY.replace("2.0", "{version}"))
    found = prove(file, made / "slsa.json", tool, SIGSTORE, NOW)
    assert (found.fingerprint, found.signed_at) == (IDENTITY, "2025-12-01T00:00:00Z")
    assert found.listed == f"dist/{NAME}"
    shutil.copy(made / "good.json", file.with_name(f"{NAME}.sigstore.json"))
    checked = verify_file(file, now=NOW, tool=tool, method=SIGSTORE)
    assert (checked.verdict, checked.fingerprint) == ("good", IDENTITY)
    with pytest.raises(SetupError, match=r"identity: nothing is put in the place of \{no\}"):
        tool_at(tmp_path, made, "{no}")
    tool.trusted_root.write_text("{")
    with pytest.raises(SetupError, match=r"trusted_root\.json is no root of trust"):
        prove(file, made / "good.json", tool, SIGSTORE, NOW)


@pytest.mark.usefixtures("in_path")
def test_a_genuine_bundle_by_sigstores_own_root(tmp_path: Path) -> None:
    """Of sigstore-conformance (Apache-2.0), by a workflow of GitHub's."""
    path = tmp_path / NAME
    path.write_bytes((GENUINE / "a.txt").read_bytes())
    who = (GENUINE / "identity").read_text().strip()
    issuer = "https://token.actions.githubusercontent.com"
    for name in ("bundle.sigstore.json", "statement.sigstore.json"):
        found = prove(
            path, GENUINE / name, tool_at(tmp_path, None, who, issuer=issuer), SIGSTORE, NOW
        )
        assert found.statement.endswith("vouches, by Sigstore's own root of trust")
    path.write_bytes(b"other")
    with pytest.raises(Unverified, match="over another file or over other"):
        prove(path, GENUINE / name, tool_at(tmp_path, None, who, issuer=issuer), SIGSTORE, NOW)


def test_a_missing_program_is_named_with_the_way_to_get_it(
    file: Path, made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    with pytest.raises(ProgramMissing, match="sigstore is not on this machine") as caught:
        prove(file, made / "good.json", tool_at(tmp_path, made), SIGSTORE, NOW)
    assert "pipx install sigstore" in caught.value.resolution
    assert caught.value.exit_status == 5
    assert how_to_get("minisign") == "apt install minisign"


def test_it_is_found_beside_our_own_interpreter(made: Path) -> None:
    """As in an environment whose bin is not in PATH."""
    code = (
        "import sys; sys.path.insert(0, sys.argv[1]); sys.executable = sys.argv[2];"
        "from toolsync.system.programs import find; print(find('sigstore'), find('minisign'))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, ROOT, BIN / "python"],
        env={"PATH": "/nonexistent"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == [str(BIN / "sigstore"), "None"]


def test_odd_json_is_no_bundle() -> None:
    odd = (b"", b"[]", b"null", b"[" * 9999, b'{"mediaType": 3}', b'{"attestations": {"a": [1]}}')
    assert [bundles_in(text) for text in odd] == [()] * 6
    assert len(bundles_in(b'{"mediaType":"application/vnd.dev.sigstore.bundle"}\n' * 99)) == 16
