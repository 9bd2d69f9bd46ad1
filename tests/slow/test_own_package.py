"""Our own package builds where nothing is but its Build-Depends."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.tools.own_package import build

pytestmark = pytest.mark.slow


def test_it_builds_with_its_build_dependencies_alone(tmp_path: Path) -> None:
    assert " passed" in build("bookworm", tmp_path)
    names = {path.name.partition("_")[0] for path in tmp_path.glob("*.deb")}
    assert names == {"toolsync", "toolsync-motd", "toolsync-ppa", "toolsync-web", "toolsync-worker"}
