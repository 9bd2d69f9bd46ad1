"""What README.md promises: its commands work as they stand, its tables are the code's."""

from __future__ import annotations

import re
import subprocess
import sys

from tests.servers.web import Web
from tests.support.rig import ROOT, Rig, environment
from tests.support.tiny import publish
from toolsync.cli.main import COMMANDS
from toolsync.gate.gates import GATES
from toolsync.model import errors
from toolsync.model.release import STATUSES
from toolsync.setup.tools import load_tool

README = (ROOT / "README.md").read_text(encoding="utf-8")
COMMANDS_PAGE, TOOLS_PAGE = (
    (ROOT / "docs" / "reference" / page).read_text(encoding="utf-8")
    for page in ("commands.md", "tools.md")
)


def console_commands() -> list[str]:
    """Return the commands of all ``console`` blocks."""
    blocks = re.findall(r"```console\n(.*?)```", README, re.DOTALL)
    return [line[2:] for block in blocks for line in block.splitlines() if line.startswith("$ ")]


def test_the_readme_shows_the_two_commands_and_the_daily_ones() -> None:
    commands = console_commands()
    assert "make run" in commands
    assert "make test" in README
    shown = {command.split()[1] for command in commands if command.startswith("toolsync ")}
    assert shown >= {"check", "sync", "status", "why", "log", "evidence", "doctor", "archive"}


def test_statuses_exit_statuses_and_stages_are_the_codes() -> None:
    for status in STATUSES:
        assert f"| `{status}` |" in COMMANDS_PAGE
    for code in (errors.FINE, errors.BUG, errors.USAGE, errors.HELD, errors.LATER, errors.SETUP):
        assert f"\n| {code} | " in COMMANDS_PAGE
    assert " → ".join(GATES.stages) in README


def test_every_page_that_it_points_to_is_there() -> None:
    named = set(re.findall(r"\b(?:docs|conf)/[\w./-]*\w", README))
    assert len(named) >= 5
    assert [name for name in sorted(named) if not (ROOT / name).exists()] == []


def test_every_command_is_named() -> None:
    pages = "".join(page.read_text("utf-8") for page in (ROOT / "docs").rglob("*.md"))
    for command in COMMANDS:
        assert re.search(rf"toolsync {command}\b|`{command}`", pages), command


def test_the_tool_shown_is_a_valid_one(rig: Rig) -> None:
    toml, *_ = re.findall(r"```toml\n(.*?)```", TOOLS_PAGE, re.DOTALL)
    folder = rig.tools / "hello"
    (folder / "debian").mkdir(parents=True)
    (folder / "debian" / "control").write_text("Source: hello\n")
    (folder / "tool.toml").write_text(toml)
    tool = load_tool(folder)
    assert tool.verify.method == "openpgp"
    assert tool.license.accepted[0].by


def test_help_is_shown_for_every_command_and_fast() -> None:
    for words in ([], *([command] for command in COMMANDS)):
        done = subprocess.run(
            [sys.executable, "-m", "toolsync", *words, "--help"],
            capture_output=True,
            text=True,
            env=environment(),
        )
        assert done.returncode == 0
        assert done.stdout.startswith("Usage: toolsync")


def test_the_first_package_can_be_made_as_shown(rig: Rig, web: Web) -> None:
    """Run the lines of "Your first package" on a page that nobody signs: it waits for a pin."""
    (shown,) = re.findall(r"```sh\n(.*?)```", README, re.DOTALL)
    publish(web, "1.0")
    said = {}
    for line in shown.replace("https://vendor.example", web.url).splitlines():
        _, command, *words = line.partition("#")[0].split()
        answers = ("--yes", "-o", rig.tools) if command == "add" else ()
        done = rig.run(command, *words, *answers, status=None)
        said[command] = (done.returncode, done.stdout + done.stderr)
    statuses = {name: status for name, (status, _) in said.items()}
    assert statuses == {"add": 0, "check": 0, "sync": 3, "why": 0, "archive": 4}, said["archive"]
    assert "has no pin" in said["sync"][1]
    assert "1.0" in said["check"][1]
