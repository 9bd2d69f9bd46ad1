"""Fixtures of a fleet on loopback."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.servers.redis import redis_server


@pytest.fixture
def broker() -> Iterator[str]:
    """A broker of its own, by its address."""
    if "CI" not in os.environ:
        pytest.importorskip("celery", reason="make test installs it")
    with redis_server() as found:
        yield found


@pytest.fixture
def url(tmp_path: Path) -> str:
    """The address of an empty store in a shared folder."""
    (tmp_path / "shared").mkdir()
    return f"file://{tmp_path}/shared"
