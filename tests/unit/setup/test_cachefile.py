"""A file of what could be computed anew is believed whole, or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from toolsync.setup.cachefile import read_cache, write_cache


def test_what_was_written_is_read_with_the_same_key(tmp_path: Path) -> None:
    file = tmp_path / "cache"
    assert read_cache(file, "k") == b""
    write_cache(file, "k", b"one\ntwo")
    assert read_cache(file, "k") == b"one\ntwo"
    assert read_cache(file, "other") == b""
    assert file.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("cut", [1, 3, 70])
def test_half_of_it_is_nothing(tmp_path: Path, cut: int) -> None:
    file = tmp_path / "cache"
    write_cache(file, "k", b"one\ntwo")
    file.write_bytes(file.read_bytes()[:-cut])
    assert read_cache(file, "k") == b""


def test_where_it_cannot_be_written_nothing_is_kept(tmp_path: Path) -> None:
    (tmp_path / "cache").mkdir()
    write_cache(tmp_path / "cache", "k", b"one")
    assert read_cache(tmp_path / "cache", "k") == b""
