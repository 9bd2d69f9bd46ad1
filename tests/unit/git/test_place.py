"""Where a tool's releases belong in git, and what an address may not hold."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.tiny import write_tool
from toolsync.config.settings import Config, Git
from toolsync.git.place import debian_tag, place_of, programs_of, tag_version
from toolsync.model.errors import SetupError
from toolsync.setup.tools import load_tool


def config(tmp_path: Path, repository: str = "") -> Config:
    """Return a set-up whose releases go there."""
    return Config(
        file=tmp_path / "toolsync.toml",
        state=tmp_path,
        tool_folders=(),
        git=Git(repository=repository),
    )


@pytest.mark.parametrize(
    ("version", "named"),
    [
        ("1.0-1", "1.0-1"),
        ("1:2.0~rc1-1~ppa1", "1%2.0_rc1-1_ppa1"),
        ("1..2", "1.#.2"),
        ("1.", "1.#"),
        ("1.lock", "1.#lock"),
    ],
)
def test_a_version_is_named_as_dep_14_says(version: str, named: str) -> None:
    assert tag_version(version) == named
    assert debian_tag(version) == f"refs/tags/debian/{named}"


def test_the_tools_own_settings_go_before_the_set_ups(tmp_path: Path) -> None:
    tool = load_tool(write_tool(tmp_path, "http://page.example/"))
    set_up = config(tmp_path, repository="/srv/{name}.git")
    found = place_of(set_up, tool)
    assert found is not None
    assert found.url == "/srv/hello.git"
    assert programs_of(found) == ("git", "gbp", "pristine-tar")
    own = replace(tool, git={"repository": "/own", "pristine_tar": False})
    found = place_of(set_up, own)
    assert found is not None
    assert (found.url, programs_of(found)) == ("/own", ("git", "gbp"))
    assert place_of(set_up, replace(tool, git={"repository": ""})) is None
    assert place_of(config(tmp_path), tool) is None


@pytest.mark.parametrize(
    "url",
    [
        "https://user:secret@salsa.example/x.git",
        "https://token@salsa.example/x.git",
        "ext::sh -c id",
        "-oProxyCommand=id",
        "ssh://a/\n",
    ],
)
def test_an_address_with_a_secret_or_a_command_is_refused(tmp_path: Path, url: str) -> None:
    tool = load_tool(write_tool(tmp_path, "http://page.example/"))
    with pytest.raises(SetupError) as caught:
        place_of(config(tmp_path, repository=url), tool)
    assert "secret" not in str(caught.value)
