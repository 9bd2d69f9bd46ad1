"""A higher floor of a runtime takes nothing from packages of series that have it."""

from __future__ import annotations

import pytest

from toolsync.compat.compare import compare
from toolsync.compat.surface import Surface
from toolsync.compat.verdict import verdict_of


def wants(python: str, *, installed: bool = True, runtime: str = "python") -> Surface:
    return Surface(names={"runtime": {runtime: python}, "command": {"x": ""}}, installed=installed)


@pytest.mark.parametrize(
    ("old", "new", "series", "verdict"),
    [
        (wants(">=3.6"), wants(">=3.9"), ("bookworm", "noble"), "additive"),
        (wants(">=3.6"), wants(">=3.12"), ("bookworm", "noble"), "breaking"),
        (wants(">=3.6"), wants(">=3.9"), ("bookworm", "nowhere"), "risky"),
        (wants(">=3.6"), wants(">=3.9"), (), "risky"),
        (wants(">=3.6"), wants(">=3.9", installed=False), ("bookworm",), "risky"),
        (wants(">=3", runtime="node"), wants(">=4", runtime="node"), ("bookworm",), "risky"),
    ],
)
def test_what_all_series_have_is_no_loss_for_what_is_installed_from_them(
    old: Surface, new: Surface, series: tuple[str, ...], verdict: str
) -> None:
    assert verdict_of(compare(old, new, series=series)) == verdict
