"""Which series there are, which are supported, and which one this machine is."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from toolsync.system.distro import host_series, supported


def test_debian_is_supported_to_the_end_of_its_lts_and_ubuntu_to_its_ordinary_end() -> None:
    day = date(2026, 11, 26)
    assert supported("debian", day)[0] == "bookworm"
    assert "jammy" in supported("ubuntu", day)
    assert "jammy" not in supported("ubuntu", date(2027, 12, 1))


@pytest.mark.parametrize(
    ("text", "series"),
    [
        ("ID=debian\nVERSION_CODENAME=trixie\n", "trixie"),
        ('ID=ubuntu\nVERSION_CODENAME="noble"\nUBUNTU_CODENAME=noble\n', "noble"),
    ],
)
def test_the_machines_own_series_is_the_default(tmp_path: Path, text: str, series: str) -> None:
    (tmp_path / "os-release").write_text(text)
    assert host_series(tmp_path / "os-release") == series


@pytest.mark.parametrize("text", ["", "VERSION_CODENAME=zena\n", "ID=arch\n"])
def test_another_distributions_machine_serves_debians_newest(tmp_path: Path, text: str) -> None:
    (tmp_path / "os-release").write_text(text)
    assert host_series(tmp_path / "os-release") == supported("debian", date.today())[-1]  # noqa: DTZ011
    assert host_series(tmp_path / "none") == host_series(tmp_path / "os-release")
