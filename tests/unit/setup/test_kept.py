"""Definitions that are kept: as the files say, whatever became of these or of what was kept."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from toolsync.config.definition import Tool
from toolsync.model.errors import SetupError
from toolsync.setup.kept import Definitions
from toolsync.setup.tools import read_tool

LATER = 2**62
"""A moment at which every file has rested."""
TEXT = """\
summary = 'a tool'
homepage = 'https://vendors.test/'
[watch]
kind = 'html'
url = 'https://vendors.test/'
pattern = 'tool-(?P<version>[0-9.]+)'
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return the folder of a tool."""
    folder = tmp_path / "tools" / "hello"
    (folder / "debian").mkdir(parents=True)
    (folder / "debian" / "control").write_text("Source: hello-src\n")
    (folder / "tool.toml").write_text(TEXT)
    return folder


@pytest.fixture
def overlay(tmp_path: Path) -> Path:
    """Return where an overlay would be."""
    return tmp_path / "hello.toml"


def read(folder: Path, overlay: Path, now: int = LATER) -> tuple[Tool | SetupError, bool]:
    """Return the definition, and whether it was read from what is kept."""
    kept = Definitions(folder.parents[1] / "definitions", now)
    found = kept.read(str(folder), overlay)
    anew = kept.news
    kept.keep()
    return found, not anew


def same(found: Tool | SetupError, folder: Path, overlay: Path) -> bool:
    return found == read_tool(folder, overlay=overlay)


def test_a_kept_definition_is_the_same(folder: Path, overlay: Path) -> None:
    assert read(folder, overlay)[1] is False
    found, was_kept = read(folder, overlay)
    assert was_kept
    assert same(found, folder, overlay)
    assert isinstance(found, Tool)
    assert found.source == "hello-src"


@pytest.mark.parametrize("file", ["tool.toml", "debian/control"])
def test_one_that_was_changed_is_read_though_its_time_is_set_back(
    folder: Path, overlay: Path, file: str
) -> None:
    read(folder, overlay)
    before = (folder / file).stat()
    (folder / file).write_text((folder / file).read_text().replace("hello-src", "hallo-src"))
    os.utime(folder / file, ns=(before.st_atime_ns, before.st_mtime_ns))
    found, was_kept = read(folder, overlay)
    assert not was_kept
    assert same(found, folder, overlay)


def test_an_overlay_that_comes_and_goes_is_seen(folder: Path, overlay: Path) -> None:
    read(folder, overlay)
    overlay.write_text("summary = 'ours'\n")
    found, was_kept = read(folder, overlay)
    assert not was_kept
    assert isinstance(found, Tool)
    assert found.summary == "ours"
    overlay.unlink()
    found, was_kept = read(folder, overlay)
    assert not was_kept
    assert same(found, folder, overlay)


def test_a_file_that_was_just_written_is_not_kept(folder: Path, overlay: Path) -> None:
    now = (folder / "tool.toml").stat().st_ctime_ns
    read(folder, overlay, now)
    assert read(folder, overlay, now)[1] is False


def test_a_faulty_one_is_never_kept(folder: Path, overlay: Path) -> None:
    (folder / "tool.toml").write_text(TEXT + "colour = 'red'\n")
    for _ in range(2):
        found, was_kept = read(folder, overlay)
        assert isinstance(found, SetupError)
        assert not was_kept


@pytest.mark.parametrize("at", [0, 30, 100, 400, -5])
def test_a_damaged_file_says_nothing(folder: Path, overlay: Path, at: int) -> None:
    read(folder, overlay)
    file = folder.parents[1] / "definitions"
    data = bytearray(file.read_bytes())
    data[at] ^= 1
    file.write_bytes(data)
    found, was_kept = read(folder, overlay)
    assert not was_kept
    assert same(found, folder, overlay)
    assert read(folder, overlay)[1]  # written anew


def test_one_that_cannot_be_written_changes_nothing(folder: Path, overlay: Path) -> None:
    (folder.parents[1] / "definitions").mkdir()
    for _ in range(2):
        found, was_kept = read(folder, overlay)
        assert not was_kept
        assert same(found, folder, overlay)
