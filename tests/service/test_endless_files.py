"""A pipe or a device in the place of a file, in a definition or for output, never hangs."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.servers.web import Web
from tests.support.rig import Rig
from tests.support.tiny import publish, write_tool
from toolsync.model.errors import SETUP


def pipe(path: Path) -> None:
    os.mkfifo(path)


def device(path: Path) -> None:
    path.symlink_to("/dev/zero")


ENDLESS: list[Callable[[Path], None]] = [pipe, device]
OF_A_TOOL = (
    *("debian/rules", "debian/copyright", "debian/extra", "debian/patches/series"),
    *("debian/source/format", "debian/upstream/signing-key.asc", "keys/vendor.asc"),
)
OF_A_FOLDER = ("debian/watch", "debian/changelog", "debian/control", "debian/copyright",
               "debian/source/format")  # fmt: skip


@pytest.mark.parametrize("put", ENDLESS)
@pytest.mark.parametrize("name", OF_A_TOOL)
def test_in_a_definition_it_is_named(
    rig: Rig, web: Web, name: str, put: Callable[[Path], None]
) -> None:
    publish(web, "1.0")
    path = write_tool(rig.tools, web.url + "/dl/", "1.0") / name
    path.parent.mkdir(exist_ok=True, parents=True)
    path.unlink(missing_ok=True)
    put(path)
    done = rig.run("sync", "hello", status=SETUP, timeout=30)
    assert str(path) in done.stdout + done.stderr


@pytest.mark.parametrize("put", ENDLESS)
@pytest.mark.parametrize("name", OF_A_FOLDER)
def test_in_a_folder_with_a_watch_file_it_ends(
    rig: Rig, web: Web, name: str, put: Callable[[Path], None]
) -> None:
    publish(web, "1.0")
    folder = write_tool(rig.root / "w", web.url + "/dl/", "1.0")
    (folder / "tool.toml").unlink()
    debian = folder / "debian"
    (debian / "changelog").write_text(
        "hello (0.9-1) sid; urgency=low\n\n  * x\n\n"
        " -- A <a@a.invalid>  Mon, 01 Jan 2024 00:00:00 +0000\n"
    )
    (debian / "watch").write_text(f"version=4\n{web.url}/dl/ hello-([\\d.]+)\\.tar\\.gz\n")
    (folder / name).unlink(missing_ok=True)
    put(folder / name)
    for words in (("check", folder), ("fetch", folder, "--output", rig.root / "out")):
        done = rig.run(*words, status=None, timeout=30)
        assert "bug of ours" not in done.stdout + done.stderr


@pytest.mark.parametrize("put", ENDLESS)
def test_no_output_replaces_it(rig: Rig, web: Web, put: Callable[[Path], None]) -> None:
    publish(web, "1.0")
    write_tool(rig.tools, web.url + "/dl/", "1.0")
    rig.run("sync", "hello")
    put(path := rig.root / "output")
    for words in (
        ("key", "export", "--output", path),
        ("page", "--output", path),
        ("fetch", "hello", "--output", path),
        ("evidence", "hello", "1.0", "--output", path),
    ):
        done = rig.run(*words, status=SETUP, timeout=30)
        assert str(path) in done.stderr + done.stdout
        assert "bug" not in done.stderr
        assert not path.is_file()
