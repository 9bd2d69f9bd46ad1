"""What `add` writes of a debian/: what only a person can say, and rules that fit the tree."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.servers.web import Web
from tests.support.rig import Rig
from tests.support.tiny import archive
from toolsync.config.packaging import SAY_HERE
from toolsync.model.errors import SetupError
from toolsync.package.placeholders import check_placeholders


@pytest.fixture
def folder(rig: Rig, web: Web) -> Path:
    web.serve("/dl/hello-1.0.tar.gz", archive("1.0", name="hello"))
    web.serve("/dl/", b'<a href="hello-1.0.tar.gz">hello-1.0.tar.gz</a>')
    rig.run("add", f"{web.url}/dl/", "--yes", "--output", rig.tools)
    return rig.tools / "hello"


def test_nothing_is_packaged_while_a_placeholder_stands(folder: Path) -> None:
    with pytest.raises(SetupError) as refused:
        check_placeholders("hello", folder, folder / "debian")
    told = str(refused.value)
    for path in ("tool.toml", "debian/control", "debian/copyright"):
        lines = (folder / path).read_text().splitlines()
        places = [number for number, line in enumerate(lines, 1) if SAY_HERE in line]
        assert places
        for number in places:
            assert f"{folder / path}:{number} (" in told
    for file in (folder / "tool.toml", *folder.glob("debian/co*")):
        file.write_text(file.read_text().replace(SAY_HERE, "Said:"))
    check_placeholders("hello", folder, folder / "debian")


def test_makefiles_by_hand_install_below_usr(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "debian").symlink_to(folder / "debian")
    (tmp_path / "Makefile").write_text("all:\n")
    argv = ["make", "-n", "--no-print-directory", "-f", "debian/rules", "override_dh_auto_install"]
    made = subprocess.run(argv, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert made.stdout.strip() == "dh_auto_install -- PREFIX=/usr prefix=/usr", made.stderr
    (tmp_path / "configure").write_text("#!/bin/sh\n")
    made = subprocess.run(argv, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert "dh_auto_install -- " not in made.stdout
