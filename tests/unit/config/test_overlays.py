"""What an operator adds to a shipped tool: a file of its own, laid over what is shipped."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.servers.web import Web
from tests.support.rig import Rig
from tests.support.tiny import publish, write_tool
from toolsync.config.definition import Tool
from toolsync.model.errors import SetupError, UsageError
from toolsync.setup.settings import load_config
from toolsync.setup.tools import followed_tool, load_tools

SHIPPED = """
[[license.accepted]]
expression = "LicenseRef-one"
by = "shipped"
when = "2026-01-01"
why = "x"
"""
OVERLAY = """
[verify.pins]
"1.1" = "{digest}"
[compat]
waive = ["exit-code"]
reason = "ours"
[[license.accepted]]
expression = "LicenseRef-two"
by = "me"
when = "2026-11-01"
why = "y"
"""


def lay(tmp_path: Path, overlay: str, *, more: str = SHIPPED) -> tuple[Path, Path]:
    """Return the settings' file and the overlay's, of a tool that lies elsewhere."""
    folder = write_tool(tmp_path / "shipped", "http://vendor.example/", "1.0")
    text = (folder / "tool.toml").read_text()
    text = text.replace("[compat]\n", '[compat]\nwaive = ["dependency"]\n')
    (folder / "tool.toml").write_text(text + more)
    conf = tmp_path / "conf"
    (conf / "tools").mkdir(parents=True)
    (conf / "toolsync.toml").write_text(f'tool_folders = ["{tmp_path / "shipped"}"]\n')
    path = conf / "tools" / "hello.toml"
    path.write_text(overlay)
    return conf / "toolsync.toml", path


def loaded(file: Path) -> Tool:
    tools, faults = load_tools(load_config(file, file.parent), ("hello",))
    assert not faults, faults
    return tools[0]


def test_an_overlay_adds_and_what_is_shipped_stays(tmp_path: Path) -> None:
    file, path = lay(tmp_path, OVERLAY.format(digest="a" * 64))
    tool = loaded(file)
    assert set(tool.verify.pins) == {"1.0", "1.1"}
    assert tool.compat.waive == ("dependency", "exit-code")
    assert tool.compat.reason == "ours"
    accepted = [entry.expression for entry in tool.license.accepted]
    assert accepted[-2:] == ["LicenseRef-one", "LicenseRef-two"]
    assert tool.editable == path
    path.unlink()
    assert set(loaded(file).verify.pins) == {"1.0"}


@pytest.mark.parametrize(
    "fault", ["[verify]\nmethdo = 'pins'\n", "[watch]\npattern = '('\n", "[verify", "epoch = 1"]
)
def test_an_overlays_fault_names_the_overlay(fault: str, tmp_path: Path) -> None:
    file, path = lay(tmp_path, fault)
    tools, faults = load_tools(load_config(file, tmp_path), ("hello",))
    assert not tools
    assert str(path) in str(faults["hello"])
    assert "shipped" not in str(faults["hello"])


def test_one_tool_by_its_name_is_what_all_are(tmp_path: Path) -> None:
    file, path = lay(tmp_path, OVERLAY.format(digest="a" * 64))
    config = load_config(file, tmp_path)
    assert followed_tool(config, "hello") == loaded(file)
    with pytest.raises(UsageError, match="'other' is followed"):
        followed_tool(config, "other")
    path.write_text("[verify")
    with pytest.raises(SetupError, match=str(path)):
        followed_tool(config, "hello")
    file.write_text(f'tools = ["another"]\n{file.read_text()}')  # hello has a folder alone
    with pytest.raises(UsageError, match="'hello' is followed"):
        followed_tool(load_config(file, tmp_path), "hello")


def test_a_shipped_fault_names_what_is_shipped(tmp_path: Path) -> None:
    file, path = lay(tmp_path, "", more="[nonsense]\n")
    _, faults = load_tools(load_config(file, tmp_path), ("hello",))
    assert isinstance(faults["hello"], SetupError)
    assert str(path) not in str(faults["hello"])


def test_a_missing_pin_goes_into_the_overlay_and_lets_the_release_on(
    tmp_path: Path, web: Web
) -> None:
    rig = Rig(tmp_path / "rig")
    publish(web, "1.0", "1.1")
    write_tool(tmp_path / "shipped", web.url + "/dl/", "1.0")
    rig.file.write_text(f'tool_folders = ["{tmp_path / "shipped"}"]\n{rig.file.read_text()}')
    told = rig.run("sync", "hello", status=3).stdout
    assert "has no pin" in told
    overlay = rig.tools / "hello.toml"
    assert str(overlay) in told
    assert str(tmp_path / "shipped") not in told
    file = next(Path(word.rstrip(",")) for word in told.split() if "/store/" in word)
    assert file.is_file()
    lines = [line.strip() for line in told.partition(f"{overlay}:\n")[2].splitlines()[:2]]
    assert lines[0] == "[verify.pins]"
    overlay.write_text("\n".join(lines))
    (row,) = rig.json("sync", "hello")
    assert (row["status"], row["current"]) == ("up-to-date", "1.1")


def test_what_no_configured_series_can_have_is_said_and_not_proposed(
    tmp_path: Path, web: Web
) -> None:
    rig = Rig(tmp_path / "rig")
    publish(web, "1.0")
    folder = write_tool(rig.tools, web.url + "/dl/", "1.0")
    with (folder / "tool.toml").open("a") as file:
        file.write('[package]\nseries = ["noble"]\n')
    rig.file.write_text(f'tools = ["hello"]\n{rig.file.read_text()}')
    left_out = "hello can be built for noble only; this set-up serves bookworm"
    assert f"hello is left out: {left_out}" in rig.run("sync").stderr
    rig.run("check", "hello")
    told = rig.run("why", "hello").stdout
    assert left_out in told
    assert "toolsync sync" not in told
