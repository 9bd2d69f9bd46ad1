"""Packaging of others that would publish files of this machine, or never ends, is not adopted."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.servers.git import Repository
from tests.servers.web import Web
from tests.service.test_adopt import packaged
from toolsync.adopt.packaging import open_packaging
from toolsync.build.archives import Archive
from toolsync.model.errors import Hostile


def no_archive(series: str) -> Archive:
    raise AssertionError(series)


def as_branch(folder: Path) -> str:
    repository = Repository(folder)
    repository.git("add", "--all", "--force")
    repository.git("commit", "--quiet", "--message", "x")
    return f"git:file://{folder}"


WAYS: dict[str, Callable[[Path], str]] = {"a folder": str, "a branch": as_branch}
"""A source package with such a link is refused by dpkg-source itself."""
LINKS = {
    "the root": "/etc/passwd",
    "up": "../../../../../../../etc/passwd",
    "a device": "/dev/zero",
    "up by way of another link": "here/../here/../../secret",
    "down and further up": "../hello/../../secret",
    "this tree by its whole path": "TREE/debian/rules",
}


@pytest.fixture
def theirs(tmp_path: Path, web: Web) -> Path:
    """Packaging of others, with links in it that stay there."""
    folder = packaged(tmp_path / "theirs", web)
    (tmp_path / "theirs" / "secret").write_text("ours alone\n")
    debian = folder / "debian"
    (debian / "docs").mkdir()
    (debian / "here").symlink_to("docs/..")
    (debian / "docs" / "license").symlink_to("../copyright")
    (debian / "readme").symlink_to("../README")  # of the release, which is not here
    (debian / "ring").symlink_to("ring")
    return folder


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("link", LINKS)
@pytest.mark.parametrize("place", ["notes", "docs/notes"])
def test_a_link_out_of_it_is_refused(
    tmp_path: Path, theirs: Path, way: str, link: str, place: str
) -> None:
    target = LINKS[link].replace("TREE", str(theirs))
    up = "../" * place.count("/")
    (theirs / "debian" / place).symlink_to(target if target.startswith("/") else up + target)
    (out := tmp_path / "out").mkdir()
    with pytest.raises(Hostile, match=f"debian/{place} is a link to .*, outside") as caught:
        open_packaging(WAYS[way](theirs), (), no_archive, out)
    assert caught.value.resolution


@pytest.mark.parametrize("way", WAYS)
def test_a_debian_that_is_a_link_itself_is_refused(tmp_path: Path, theirs: Path, way: str) -> None:
    (theirs / "debian").rename(tmp_path / "elsewhere")
    (theirs / "debian").symlink_to(tmp_path / "elsewhere")
    (out := tmp_path / "out").mkdir()
    with pytest.raises(Hostile, match=r"debian is a link to .*, outside"):
        open_packaging(WAYS[way](theirs), (), no_archive, out)


def test_a_pipe_is_refused(tmp_path: Path, theirs: Path) -> None:
    os.mkfifo(theirs / "debian" / "docs" / "pipe")
    (out := tmp_path / "out").mkdir()
    with pytest.raises(Hostile, match="debian/docs/pipe is neither a file nor"):
        open_packaging(str(theirs), (), no_archive, out)


@pytest.mark.parametrize("way", WAYS)
def test_links_that_stay_in_it_are_taken(tmp_path: Path, theirs: Path, way: str) -> None:
    (out := tmp_path / "out").mkdir()
    debian = open_packaging(WAYS[way](theirs), (), no_archive, out).debian
    assert (debian / "docs" / "license").readlink() == Path("../copyright")
    assert (debian / "readme").readlink() == Path("../README")
