"""A fleet's store as its pages see it: what the cache has, and a note of what it has not."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from toolsync.model.errors import Damaged
from toolsync.system.cachestore import LARGEST, CacheStore
from toolsync.system.fleetstore import FleetStore
from toolsync.system.remote import SharedFolder


def test_what_the_shared_place_has_alone_is_noted_and_seen_once_it_was_brought(
    tmp_path: Path,
) -> None:
    (tmp_path / "shared").mkdir()
    cache = tmp_path / "store"
    service = FleetStore(cache, SharedFolder(tmp_path / "shared"), 1000)
    here, there = (service.add_bytes(data, "report") for data in (b"here", b"there"))
    service.where(there).unlink()  # as a sweep does
    pages = CacheStore(cache)
    assert pages.has(here)
    assert not pages.lacking
    assert not pages.has(there)
    assert pages.lacking == {there.sha256}
    with pytest.raises(Damaged, match="is gone"):
        pages.path(there)
    service.require(there)
    assert CacheStore(cache).path(there).read_bytes() == b"there"


def test_what_no_page_shows_is_not_asked_for(tmp_path: Path) -> None:
    store = CacheStore(tmp_path / "store")
    blob = FleetStore(tmp_path / "other", SharedFolder(tmp_path), 1000).add_bytes(b"x", "x")
    assert not store.has(replace(blob, size=LARGEST + 1))
    assert not store.lacking
    assert not (tmp_path / "store").exists()
