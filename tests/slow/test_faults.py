"""A few of the faults of `tests.tools.faults`, whose whole is ``make faults``."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.servers.web import Web
from tests.tools.faults import Point, RepairTrial, Trial


@pytest.mark.slow
def test_a_call_that_fails_leaves_nothing_behind(tmp_path: Path, web: Web) -> None:
    """A full disk where something is written, a broken one where it is renamed, both midway."""
    trial = Trial(tmp_path, web)
    assert {"write", "rename", "fsync"} <= trial.places.keys()
    for call in ("pwrite64", "rename"):
        places = trial.places[call]
        assert trial.outcome(Point(call, places[len(places) // 2])) == ""


@pytest.mark.slow
def test_a_repair_that_meets_a_broken_disk_is_gone_on_with(tmp_path: Path, web: Web) -> None:
    trial = RepairTrial(tmp_path, web)
    for call in ("mkdir", "rename", "fsync"):
        places = trial.places[call]
        assert trial.outcome(Point(call, places[len(places) // 2])) == ""
