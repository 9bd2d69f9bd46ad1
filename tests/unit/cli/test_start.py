"""What commands load that ask nobody: as long as they load nothing heavy, they start at once."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.rig import Rig, environment
from tests.support.tiny import write_tool

HEAVY = {"requests", "urllib3", "rich", "jinja2", "lxml", "launchpadlib", "jsonschema", "debian"}


@pytest.mark.parametrize("words", [("status",), ("why", "hello"), ("log", "hello")])
def test_a_command_that_asks_nobody_loads_no_library_for_asking(
    tmp_path: Path, words: tuple[str, ...]
) -> None:
    rig = Rig(tmp_path)
    write_tool(rig.tools, "http://127.0.0.1:9/dl/", "1.0")
    argv = [sys.executable, "-X", "importtime", *rig.argv(*words)[1:]]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=60, env=environment())
    loaded = set(re.findall(r"^import time: .*\| +([\w.]+)$", done.stderr, re.MULTILINE))
    assert "toolsync.cli.main" in loaded, done.stderr[-2000:]
    assert not loaded & HEAVY
