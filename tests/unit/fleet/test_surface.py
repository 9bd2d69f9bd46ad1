"""Surfaces: what a worker reads of a tree is accepted, and what can be none is refused."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.fleet import NOTHING, machine, offered
from toolsync.compat.surface import Surface
from toolsync.config.settings import Limits
from toolsync.fleet.kind import Machine
from toolsync.fleet.surface import SURFACE, SurfaceAsked, SurfaceRead, judged
from toolsync.model.errors import Hostile
from toolsync.model.values import dump
from toolsync.system.fleetstore import open_store
from toolsync.system.store import Store


@pytest.fixture
def store(tmp_path: Path) -> Store:
    (tmp_path / "shared").mkdir()
    return open_store(tmp_path / "here", f"file://{tmp_path}/shared")


@pytest.fixture
def there(tmp_path: Path, store: Store) -> Machine:
    return machine(open_store(tmp_path / "there", f"file://{tmp_path}/shared"), tmp_path / "there")


@pytest.fixture
def asked(store: Store) -> SurfaceAsked:
    return offered(store)


def test_what_a_worker_reads_is_accepted(asked: SurfaceAsked, store: Store, there: Machine) -> None:
    assert SURFACE.read(dump(asked)) == asked
    found = judged(asked, dump(SURFACE.do(asked, there)), store, Limits())
    assert set(found.of("command")) == {"a"}
    assert set(found.of("option")) >= {"a --x", "a --y"}
    assert found.digest
    assert not found.installed


def test_what_can_be_no_surface_of_it_is_refused(asked: SurfaceAsked, store: Store) -> None:
    def kept(data: bytes) -> object:
        return dump(SurfaceRead(surface=store.add_bytes(data, "surface.json")))

    whole = Surface(names={"command": {"a": ""}})
    assert judged(asked, kept(whole.to_json()), store, Limits()) == whole
    for data in (
        kept(b"[]"),
        kept(b"[" * 100_000),
        kept(b"\xff"),
        kept(replace(whole, installed=True).to_json()),
        kept(replace(whole, names={"of no kind": {"a": ""}}).to_json()),
        kept(replace(whole, digest="x" * 1_000_000).to_json()),
        kept(replace(whole, vague=("x",) * 300_000).to_json()),
        dump(SurfaceRead(surface=replace(NOTHING, name="surface.json"))),
        {"surface": "x"},
        "text",
    ):
        with pytest.raises(Hostile):
            judged(asked, data, store, Limits())


@pytest.mark.parametrize(
    "spoil",
    [
        {"form": 2},
        {"commands": ["x" * 2000]},
        {"debs": [{"name": "../a.deb", "sha256": "0" * 64, "size": 1}]},
        {"orig": "x"},
    ],
)
def test_a_question_of_another_form_is_refused(
    spoil: dict[str, object], asked: SurfaceAsked
) -> None:
    with pytest.raises(Hostile):
        SURFACE.read({**dump(asked), **spoil})
