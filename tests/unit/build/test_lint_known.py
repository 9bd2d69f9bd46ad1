"""Errors that packaging had before are told and hold nothing; others do."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.unit.package.test_stage import cleared, make, store, tool
from toolsync.build.lint import errors_of, lint
from toolsync.config.definition import Tool
from toolsync.model.errors import PackageFailed
from toolsync.system.store import Store

__all__ = ["store", "tool"]  # fixtures


@pytest.mark.slow
def test_what_lintian_said_before_holds_nothing(tmp_path: Path, store: Store, tool: Tool) -> None:
    control = tool.debian / "control"
    control.write_text(
        control.read_text().replace("Section: admin\n", "Section: nowhere\nUploaders: x\n")
    )
    made = make(cleared(store), tool, store, tmp_path / "w", "bookworm")
    for blob in made.files:
        store.copy_to(blob, tmp_path)
    dsc = tmp_path / made.files[0].name
    known = errors_of([dsc], folder=tmp_path)
    assert known
    assert all(error.startswith("hello source: ") for error in known)
    log = tmp_path / "log"
    found = lint([dsc], distribution="debian", folder=tmp_path, log=log, known=known)
    graver = [finding for finding in found if finding.severity == "risky"]
    assert len(graver) >= len(known)
    assert all("as in the packaging before" in finding.message for finding in graver)
    with pytest.raises(PackageFailed):
        lint([dsc], distribution="debian", folder=tmp_path, log=log, known=known[1:])
    assert subprocess.run(["grep", "-c", "^E: ", log], capture_output=True).returncode == 0
