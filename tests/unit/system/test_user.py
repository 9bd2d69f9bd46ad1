"""Root works on the state of the service as its user, and what it puts there is that user's."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.rig import environment
from toolsync.model.errors import SetupError
from toolsync.system.user import become_owner

NOBODY = 65534
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="about what root does")


@pytest.fixture
def state() -> Iterator[Path]:
    """A folder of nobody's, where nobody can reach it."""
    with tempfile.TemporaryDirectory(dir="/var/tmp") as name:
        os.chmod(name, 0o755)
        folder = Path(name) / "state"
        folder.mkdir()
        if os.geteuid() == 0:
            os.chown(folder, NOBODY, NOBODY)
        yield folder


def step_down(folder: Path, script: str) -> str:
    head = (
        "import os, sys; from pathlib import Path\n"
        "from toolsync.system.account import account\n"
        "from toolsync.system.user import become_owner\n"
        "changed = become_owner(Path(sys.argv[1]))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", head + script, folder],
        capture_output=True,
        text=True,
        check=True,
        env=environment() | {"XDG_STATE_HOME": "/root/x"},
    )
    return done.stdout.strip()


@as_root
def test_root_becomes_the_owner_for_ever(state: Path) -> None:
    said = step_down(state, "print(changed, os.getresuid(), os.getresgid(), os.getgroups())")
    assert said == f"True {(NOBODY,) * 3} {(NOBODY,) * 3} [{NOBODY}]"
    assert step_down(state, "Path(sys.argv[1], 'x').touch()") == ""
    assert (state / "x").stat().st_uid == NOBODY
    assert step_down(state, "print(os.environ['USER'], 'XDG_STATE_HOME' in os.environ)") == (
        "nobody False"
    )


@as_root
def test_a_decision_is_still_somebodys(state: Path) -> None:
    assert step_down(state, "print(account())").endswith(" (as nobody)")


def test_nothing_happens_where_the_folder_is_ours_or_not_there(tmp_path: Path) -> None:
    assert not become_owner(tmp_path)
    assert not become_owner(tmp_path / "none")


@as_root
def test_an_owner_whom_nobody_knows_is_told(state: Path) -> None:
    os.chown(state, 4_000_000, 4_000_000)
    with pytest.raises(SetupError, match="belongs to user 4000000"):
        become_owner(state)
