"""The store: what is damaged is seen when it is used."""

from __future__ import annotations

import time
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from toolsync.model.errors import Damaged
from toolsync.system.fleetstore import open_store
from toolsync.system.store import Store


def flip(path: Path) -> None:
    """Change one byte in the middle of a file, in its place, as a disk does."""
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.chmod(0o644)
    path.write_bytes(data)


@pytest.mark.parametrize("use", ["path", "copy_to", "copy_all", "deliver"])
def test_a_flipped_byte_is_seen_whenever_a_file_is_used(tmp_path: Path, use: str) -> None:
    """Also by a store that has digested the file before, and by one that has not."""
    store, out = Store(tmp_path / "store"), tmp_path / "out"
    blob = store.add_bytes(b"of a release", "hello.tar")
    out.mkdir()

    def used(by: Store) -> None:
        if use == "path":
            by.path(blob)
        elif use == "copy_to":
            by.copy_to(blob, out)
        elif use == "copy_all":
            by.copy_all({"a": blob}, out)
        else:
            by.deliver(blob, out, "b")

    used(store)
    used(Store(tmp_path / "store"))
    for path in out.iterdir():
        assert path.read_bytes() == b"of a release"
        path.unlink()
    flip(store.where(blob))
    for each in (store, Store(tmp_path / "store")):
        with pytest.raises(
            Damaged, match=rf"hello\.tar\) has other bytes.*{blob.sha256}"
        ) as caught:
            used(each)
        assert "toolsync scrub" in caught.value.resolution
    assert list(out.iterdir()) == []


def test_a_file_that_is_gone_or_put_aside_is_told(tmp_path: Path) -> None:
    store = Store(tmp_path / "store")
    blob = store.add_bytes(b"bytes", "name")
    store.put_aside(blob.sha256)
    assert (tmp_path / "store" / "damaged" / blob.sha256).read_bytes() == b"bytes"
    assert not store.has(blob)
    with pytest.raises(Damaged, match="is gone"):
        store.path(blob)
    with pytest.raises(Damaged, match="is gone"):
        store.copy_to(blob, tmp_path)
    store.put_aside(blob.sha256)  # again is no error
    assert store.add_bytes(b"bytes", "name") == blob
    assert store.path(blob).read_bytes() == b"bytes"


@pytest.mark.parametrize("stated", [10, 10**12])
@pytest.mark.parametrize("shared", [False, True])
def test_a_size_that_is_a_lie_is_seen_before_the_file_is_read(
    tmp_path: Path, shared: bool, stated: int
) -> None:
    """Also where this process has digested the file: a worker may name ten bytes of forty GB."""
    (tmp_path / "shared").mkdir()
    url = f"file://{tmp_path}/shared" if shared else ""
    store = open_store(tmp_path / "store", url)
    blob = store.add_bytes(b"of a release", "hello.tar")
    lie = replace(blob, size=stated)
    for each in (store, open_store(tmp_path / "store", url)):
        for use in (each.path, each.require, partial(each.copy_to, folder=tmp_path)):
            with pytest.raises(Damaged, match=f"12 of them, wanted {stated}"):
                use(lie)
    assert not (tmp_path / "hello.tar").exists()
    huge = Store(tmp_path / "store").where(blob)
    with huge.open("r+b") as handle:
        handle.truncate(40 * 1024**3)  # would take a minute to digest
    began = time.monotonic()
    with pytest.raises(Damaged, match="of them, wanted 12"):
        Store(tmp_path / "store").path(blob)
    assert time.monotonic() - began < 1
    huge.unlink()
