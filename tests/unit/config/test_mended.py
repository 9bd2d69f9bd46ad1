"""What lies beside a tool's packaging: a later series' patches, and what was mended by hand."""

from __future__ import annotations

from pathlib import Path

import pytest

from toolsync.config.later import later_patches, upstream_of, without_suffix
from toolsync.config.mended import Mended, mended_digest, mended_for, write_mended
from toolsync.model.errors import SetupError

UPSTREAM = {
    "2.2.1+dfsg-1": "2.2.1",
    "1:7.2-1+deb12u1": "7.2",
    "3.1-20250104-1": "3.1-20250104",
    "9.1.0+ds1-2": "9.1.0",
    "0.8.5-4": "0.8.5",
    "5.7": "5.7",
}


@pytest.mark.parametrize("version", UPSTREAM)
def test_upstreams_version_is_told_from_a_debian_one(version: str) -> None:
    assert upstream_of(version) == UPSTREAM[version]


def test_an_origs_version_keeps_its_hyphens() -> None:
    assert without_suffix("3.1-20250104") == "3.1-20250104"
    assert without_suffix("4.99.4+dfsg") == "4.99.4"


@pytest.mark.parametrize("said", ["", "trixie", "a b c", "Trixie 1-1", "trixie 2.0-1"])
def test_later_patches_that_are_of_no_help_are_passed_over(tmp_path: Path, said: str) -> None:
    (tmp_path / "later").mkdir()
    (tmp_path / "later" / "said").write_text(said)
    assert later_patches(tmp_path, "1.0") is None


def test_what_was_mended_counts_from_its_release_on(tmp_path: Path) -> None:
    assert mended_for(tmp_path, "1.0") is None
    (tmp_path / "debian").mkdir()
    (tmp_path / "debian" / "rules").write_text("x")
    write_mended(tmp_path, Mended(version="1.10", files={"rules": ""}))
    assert mended_for(tmp_path, "1.9") is None
    found = mended_for(tmp_path, "1.10")
    assert found is not None
    assert found.files == {"rules": ""}
    assert mended_digest(tmp_path, "1.9") == ""
    digest = mended_digest(tmp_path, "2.0")
    (tmp_path / "debian" / "rules").write_text("y")
    assert mended_digest(tmp_path, "2.0") not in ("", digest)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"version": 1, "odd": 2}', '{"version": null}'])
def test_what_is_of_another_form_is_a_fault_of_the_setup(tmp_path: Path, text: str) -> None:
    (tmp_path / "of.json").write_text(text)
    with pytest.raises(SetupError, match=r"of\.json cannot be read"):
        mended_for(tmp_path, "1.0")
