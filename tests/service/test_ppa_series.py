"""Following a distribution's series: the ended ones drop out, new ones are only proposed."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from tests.support.rig import Rig
from toolsync.config.supported import adopt, followed, keep, proposed
from toolsync.model.errors import SetupError, UsageError
from toolsync.setup.settings import load_config
from toolsync.system.distro import supported

OLD, NEW, LATER = date(2025, 9, 1), date(2026, 6, 1), date(2028, 1, 1)


def test_supported_series_are_released_and_not_ended() -> None:
    assert supported("ubuntu", OLD) == ("jammy", "noble", "plucky")
    assert supported("ubuntu", NEW) == ("jammy", "noble", "questing", "resolute")
    assert supported("debian", date(2024, 1, 1)) == ("buster", "bullseye", "bookworm")


def test_before_anything_was_adopted_all_supported_ones_are_meant(tmp_path: Path) -> None:
    assert followed(tmp_path, "ubuntu", NEW) == supported("ubuntu", NEW)
    assert proposed(tmp_path, "ubuntu", NEW) == ()


def test_a_new_series_is_proposed_and_joins_when_it_is_adopted(tmp_path: Path) -> None:
    keep(tmp_path, "ubuntu", OLD)
    keep(tmp_path, "ubuntu", NEW)  # a later run changes nothing
    assert followed(tmp_path, "ubuntu", NEW) == ("jammy", "noble")
    assert proposed(tmp_path, "ubuntu", NEW) == ("questing", "resolute")
    adopt(tmp_path, "ubuntu", ["resolute"], NEW)
    assert followed(tmp_path, "ubuntu", NEW) == ("jammy", "noble", "resolute")
    assert proposed(tmp_path, "ubuntu", NEW) == ("questing",)
    assert followed(tmp_path, "ubuntu", LATER) == ("noble", "resolute")
    assert followed(tmp_path, "debian", NEW) == supported("debian", NEW)


def test_only_supported_series_can_be_adopted(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="trusty is not among ubuntu's supported series"):
        adopt(tmp_path, "ubuntu", ["trusty"], NEW)


def test_a_broken_list_is_told(tmp_path: Path) -> None:
    (tmp_path / "series.json").write_text("[1]")
    with pytest.raises(SetupError, match=r"series\.json cannot be read"):
        followed(tmp_path, "ubuntu", NEW)


def test_the_word_stands_for_the_targets_own_distribution(rig: Rig) -> None:
    rig.file.write_text('series = "supported"\n')
    config = load_config(rig.file, rig.state)
    assert "trixie" in config.for_target("local").series
    assert "noble" in config.for_target("ppa:maker/stable").series
    rig.file.write_text('series = "all"\n')
    with pytest.raises(SetupError, match="wanted: code names"):
        load_config(rig.file, rig.state)
