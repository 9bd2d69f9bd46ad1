"""Pauses that other machines ask for: kept, but never for ever."""

from __future__ import annotations

import math

import pytest

from toolsync.http.hosts import Hosts
from toolsync.model.errors import Unreachable
from toolsync.system.clock import SystemClock


@pytest.mark.parametrize("seconds", [1e12, 61.0, math.inf, math.nan])
def test_a_pause_of_other_machines_that_is_too_long_is_told(seconds: float) -> None:
    hosts = Hosts(1, 0, SystemClock(), elsewhere=lambda _: seconds)
    for _ in range(2):  # the slot is free again after it
        with pytest.raises(Unreachable, match="h may be asked in"), hosts.slot("h", 60):
            raise AssertionError


@pytest.mark.parametrize("seconds", [0.0, -1e12, 0.01])
def test_a_short_one_is_kept(seconds: float) -> None:
    hosts = Hosts(1, 0, SystemClock(), elsewhere=lambda _: seconds)
    with hosts.slot("h", 60):
        pass
