"""What `add` writes of a debian/: what only a person can say, and rules that fit the tree."""

from __future__ import annotations

import subprocess
import tomllib
from pathlib import Path

import pytest

from tests.servers.web import Web
from tests.support.rig import Rig
from tests.support.tiny import archive
from toolsync.config.packaging import SAY_HERE
from toolsync.model.errors import SetupError
from toolsync.package.placeholders import check_placeholders


def added(rig: Rig, web: Web, **extra: str) -> Path:
    """Return the folder of what `add` makes of an archive with these files, too."""
    web.serve("/dl/hello-1.0.tar.gz", archive("1.0", name="hello", extra=extra))
    web.serve("/dl/", b'<a href="hello-1.0.tar.gz">hello-1.0.tar.gz</a>')
    rig.run("add", f"{web.url}/dl/", "--yes", "--output", rig.tools)
    return rig.tools / "hello"


def test_nothing_is_packaged_while_a_placeholder_stands(rig: Rig, web: Web) -> None:
    folder = added(rig, web)
    with pytest.raises(SetupError) as refused:
        check_placeholders("hello", folder, folder / "debian")
    told = str(refused.value)
    for path in ("debian/control", "debian/copyright"):
        lines = (folder / path).read_text().splitlines()
        places = [number for number, line in enumerate(lines, 1) if SAY_HERE in line]
        assert places
        for number in places:
            assert f"{folder / path}:{number} (" in told
    for file in folder.glob("debian/co*"):
        file.write_text(file.read_text().replace(SAY_HERE, "Said:"))
    check_placeholders("hello", folder, folder / "debian")


def test_makefiles_by_hand_install_below_usr(rig: Rig, web: Web, tmp_path: Path) -> None:
    folder = added(rig, web, Makefile="install:\n\ttrue\n")
    (tmp_path / "debian").symlink_to(folder / "debian")
    argv = ["make", "-n", "--no-print-directory", "-f", "debian/rules", "override_dh_auto_install"]
    made = subprocess.run(argv, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert made.stdout.strip() == "dh_auto_install -- PREFIX=/usr prefix=/usr", made.stderr


def test_what_configure_makes_installs_where_it_was_told(rig: Rig, web: Web) -> None:
    folder = added(rig, web, configure="#!/bin/sh\n", Makefile="install:\n\ttrue\n")
    assert "dh_auto_install" not in (folder / "debian" / "rules").read_text()


def test_upstream_s_words_write_no_more_than_a_comment(rig: Rig, web: Web) -> None:
    """Names in metadata are a stranger's: they end no line of tool.toml or debian/control."""
    odd = 'x\\n[license]\\nexpression = \\"MIT\\"\\nPackage: evil'
    package = '{"name": "hello", "author": "a\\u202eb", "dependencies": {"' + odd + '": "1"}}'
    folder = added(rig, web, **{"package.json": package, "index.js": ""})
    toml = tomllib.loads((folder / "tool.toml").read_text())
    assert "license" not in toml
    for path in folder.rglob("*"):
        if path.is_file():
            lines = path.read_text().splitlines()
            assert not [line for line in lines if line.startswith(("[license]", "Package: evil"))]
            assert "\u202e" not in path.read_text()


def test_a_release_that_cannot_be_read_gets_a_frame_and_the_reason(rig: Rig, web: Web) -> None:
    web.serve("/dl/hello-1.0.tar.gz", b"no archive")
    web.serve("/dl/", b'<a href="hello-1.0.tar.gz">hello-1.0.tar.gz</a>')
    made = rig.json("add", f"{web.url}/dl/", "--yes", "--output", rig.tools)
    assert made["system"] == ""
    assert any("how it is built: 1.0 could not be read" in line for line in made["undecided"])
    with pytest.raises(SetupError):
        check_placeholders("hello", rig.tools / "hello", rig.tools / "hello" / "debian")
