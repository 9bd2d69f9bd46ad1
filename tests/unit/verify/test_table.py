"""The sentence of every proof, as docs/reference/proofs.md has it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.proofs import lines, table
from tests.support.sigstorage import BIN
from tests.tools.proofs import MARK, PAGE


@pytest.mark.slow
def test_each_proof_says_what_the_table_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(BIN), prepend=":")
    wanted = PAGE.read_text(encoding="utf-8").partition(MARK)[2].splitlines()
    assert list(lines(table(tmp_path))) == wanted
