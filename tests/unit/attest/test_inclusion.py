"""The proof that lies beside a file of evidence."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.rig import environment
from toolsync.attest.inclusion import SUFFIX, proof_beside
from toolsync.attest.note import Proof
from toolsync.model.errors import Unverified

ASK = """
import sys
from pathlib import Path
from toolsync.attest.inclusion import proof_beside
from toolsync.model.errors import UsageError
try:
    proof_beside(Path(sys.argv[1]), lambda _: None)
except UsageError as error:
    print(error)
"""


def _none(_: str) -> Proof | None:
    return None


@pytest.mark.parametrize("name", ["evidence.json", "e" * 250], ids=["none", "name too long"])
def test_where_none_lies_the_other_way_is_taken(tmp_path: Path, name: str) -> None:
    assert proof_beside(tmp_path / name, _none) is _none


def test_what_is_no_proof_is_refused(tmp_path: Path) -> None:
    (tmp_path / f"evidence.json{SUFFIX}").write_bytes(b"nothing")
    with pytest.raises(Unverified):
        proof_beside(tmp_path / "evidence.json", _none)("00")


def test_a_folder_that_is_closed_is_named(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir()
    closed.chmod(0o000)
    argv = [sys.executable, "-c", ASK, str(closed / "evidence.json")]
    if os.geteuid() == 0:  # root may enter every folder
        argv = ["setpriv", "--bounding-set=-all", "--inh-caps=-all", *argv]
    done = subprocess.run(argv, capture_output=True, text=True, env=environment(), timeout=60)
    assert "cannot be read: Permission denied" in done.stdout, done.stderr
