"""Bundles for tests, made and judged with the sigstore of .venv/sigstore (`make` installs it)."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.support.rig import ROOT

BIN = ROOT / ".venv" / "sigstore" / "bin"
IDENTITY = "https://github.com/o/foo/.github/workflows/release.yml@refs/tags/v2.0"
ISSUER = "https://token.test"
SLSA = "https://slsa.dev/provenance/v1"


def statement(name: str, sha256: str, kind: str = SLSA) -> dict[str, object]:
    """Return what is stated of a file, as GitHub states it."""
    return {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": name, "digest": {"sha256": sha256}}],
        "predicateType": kind,
        "predicate": {},
    }


def make(folder: Path, orders: Sequence[Mapping[str, object]]) -> None:
    """Make the bundles of ``orders`` (`sigstorelog`) as NAME.json in a folder."""
    given = [{"identity": IDENTITY, "issuer": ISSUER, **order} for order in orders]
    (folder / "orders").write_text(json.dumps(given))
    script = Path(__file__).with_name("sigstorelog.py")
    subprocess.run([BIN / "python", script, folder / "orders", folder], check=True)


def attestation(bundle: Mapping[str, dict[str, object]]) -> dict[str, object]:
    """Return a bundle with a statement as an attestation of PEP 740."""
    material, envelope = bundle["verificationMaterial"], bundle["dsseEnvelope"]
    certificate, signatures = material["certificate"], envelope["signatures"]
    assert isinstance(certificate, dict)
    assert isinstance(signatures, list)
    return {
        "version": 1,
        "verification_material": {
            "certificate": certificate["rawBytes"],
            "transparency_entries": material["tlogEntries"],
        },
        "envelope": {"statement": envelope["payload"], "signature": signatures[0]["sig"]},
    }
