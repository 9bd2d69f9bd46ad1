"""What `add` writes, in clean chroots: what Build-Depends names is all that there is."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.tools.additions import added

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("way", ["pyproject", "meson"])
def test_it_goes_from_its_address_to_apt(way: str, tmp_path: Path) -> None:
    assert "| 0 | published |" in added(way, tmp_path)
