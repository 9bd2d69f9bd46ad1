"""Fixtures that many tests share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.rig import Rig
from tests.web import Web


@pytest.fixture
def web() -> Iterator[Web]:
    """A vendor's web server on loopback."""
    with Web() as server:
        yield server


@pytest.fixture
def rig(tmp_path: Path) -> Rig:
    """A set-up that builds quickly, on this machine as it is."""
    return Rig(tmp_path)
