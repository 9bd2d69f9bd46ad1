"""The manual pages and the completion: nothing that the program knows is missing in them."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from typing import Any

import click
import pytest

from tests.support.rig import environment
from toolsync.cli.main import COMMANDS, group
from toolsync.cli.manual import pages
from toolsync.config.record import Schema
from toolsync.model.errors import BUG, FINE, HELD, LATER, SETUP, USAGE
from toolsync.setup.settings import SETTINGS
from toolsync.setup.tools import TOOLS

PAGES = pages()


def plain(name: str) -> str:
    """Return a page as words, without roff's escapes."""
    text = re.sub(r"\\f[BIR]|\\&", "", PAGES[name])
    return text.replace("\\-", "-").replace("\\(dq", '"').replace("\\e", "\\")


def commands(command: click.Command, words: str) -> Iterator[tuple[str, click.Command]]:
    yield words, command
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            part = command.get_command(context, name)
            assert part is not None
            yield from commands(part, f"{words} {name}")


def keys(table: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Give every key of a schema, however deep, with what is said of it."""
    for key, about in table.get("properties", {}).items():
        yield key, about
        yield from keys(about)
        for inner in (about.get("additionalProperties"), about.get("items")):
            if isinstance(inner, dict):
                yield from keys(inner)


def test_every_command_and_option_is_told() -> None:
    page = plain("toolsync.1")
    for words, command in commands(group, "toolsync"):
        start = page.index(f'.SS "{words} ') if " " in words else 0
        part = page[start:]
        for parameter in command.params:
            if isinstance(parameter, click.Option) and not parameter.hidden:
                assert parameter.help, f"{words} {parameter.name} has no help"
                assert max(parameter.opts, key=len) in part, f"{words} {parameter.opts}"


def test_every_exit_status_is_told() -> None:
    page = plain("toolsync.1").partition(".SH EXIT STATUS")[2]
    for code in (FINE, BUG, USAGE, HELD, LATER, SETUP):
        assert f".TP\n{code}\n" in page


@pytest.mark.parametrize(
    ("schema", "name"),
    [(SETTINGS.schema, "toolsync.toml.5"), (TOOLS.schema, "tool.toml.5")],
    ids=["toolsync.toml", "tool.toml"],
)
def test_every_key_is_described_and_told(schema: Schema, name: str) -> None:
    found = list(keys(schema))
    page = plain(name)
    for key, about in found:
        assert about.get("description"), f"{key} has no description"
        assert f".TP\n{key} (" in page or re.search(rf'\.SS "\[(?:\S+\.)?{key}\]"', page), key


@pytest.mark.parametrize("name", PAGES)
def test_roff_takes_no_word_for_an_order(name: str) -> None:
    known = {".TH", ".SH", ".SS", ".TP", ".PP", ".B", ".br", ".RS", ".RE"}
    for line in PAGES[name].splitlines():
        assert not line.startswith("'")
        assert not line.startswith(".") or line.split()[0] in known, line
        assert line.strip(), "an empty line is an order too"


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_is_printed(shell: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "toolsync", "completion", shell],
        capture_output=True,
        text=True,
        env=environment(),
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert f"_TOOLSYNC_COMPLETE={shell}_complete" in done.stdout


def test_a_shell_that_asks_is_told_commands_and_options() -> None:
    def completed(*words: str) -> list[str]:
        asked = {
            "_TOOLSYNC_COMPLETE": "bash_complete",
            "COMP_WORDS": " ".join(("toolsync", *words)),
            "COMP_CWORD": str(len(words)),
        }
        done = subprocess.run(
            [sys.executable, "-m", "toolsync"],
            capture_output=True,
            text=True,
            env=environment() | asked,
        )
        return [line.partition(",")[2] for line in done.stdout.splitlines() if line]

    assert completed("sy") == ["sync"]
    assert set(COMMANDS) <= set(completed(""))
    assert completed("sync", "--dry") == ["--dry-run"]
    assert completed("why", "ec2-a") == ["ec2-ami-tools", "ec2-api-tools"]
    assert completed("--config", "/nonexistent", "why", "ec2-a") == []
