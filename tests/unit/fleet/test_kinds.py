"""The table of kinds: each has a name of its own, and says what a machine can do."""

from __future__ import annotations

import json
from importlib import resources
from pathlib import Path

from toolsync.config.settings import Build, Config
from toolsync.fleet.kinds import KINDS, queues_of


def test_names_are_those_that_settings_know() -> None:
    text = (resources.files("toolsync.config") / "config.schema.json").read_text()
    known = json.loads(text)["properties"]["fleet"]["properties"]["tasks"]["items"]["enum"]
    assert sorted(known) == sorted(kind.name for kind in KINDS)


def test_a_machine_offers_what_it_can(tmp_path: Path) -> None:
    config = Config(file=tmp_path, state=tmp_path, tool_folders=(), build=Build(backend="host"))
    found = queues_of(config)
    assert len(set(found)) == len(found)
    assert any(queue.startswith("build.") for queue in found)
