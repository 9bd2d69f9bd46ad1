"""Answers: what is right is accepted, and no lie is."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.fleet import LIES, NOTHING, asked_for, changes_of, packed
from toolsync.build.stage import Product
from toolsync.fleet.build import BuildAsked
from toolsync.fleet.built import judged
from toolsync.fleet.checks import read_log
from toolsync.model.errors import Hostile
from toolsync.model.values import Blob, Finding, dump
from toolsync.system.fleetstore import open_store
from toolsync.system.store import Store


@pytest.fixture
def store(tmp_path: Path) -> Store:
    (tmp_path / "shared").mkdir()
    return open_store(tmp_path / "here", f"file://{tmp_path}/shared")


@pytest.fixture
def theirs(tmp_path: Path, store: Store) -> Store:
    """Return the same store as a worker has it."""
    return open_store(tmp_path / "there", f"file://{tmp_path}/shared")


@pytest.fixture
def asked(store: Store) -> BuildAsked:
    return asked_for(store)


def test_what_is_right_is_accepted(asked: BuildAsked, store: Store, theirs: Store) -> None:
    made = packed(asked, theirs)
    assert judged(asked, dump(made), store) == made
    assert all(store.where(blob).exists() for blob in made.files)


@pytest.mark.parametrize(
    ("lie", "said"),
    [
        ("other_bytes", "is not: "),
        ("other_names", "which no file"),
        ("other_package", "a .deb of sudo 9:9"),
        ("bomb", "other bytes"),
        ("endless", "over 20000 characters"),
    ],
)
def test_a_lie_is_refused(
    lie: str, said: str, asked: BuildAsked, store: Store, theirs: Store
) -> None:
    with pytest.raises(Hostile, match=said):
        judged(asked, dump(LIES[lie](asked, theirs)), store)


def test_the_small_lies_are_refused_too(asked: BuildAsked, store: Store) -> None:
    made = packed(asked, store)
    other = replace(asked, version="2.0-1")
    lost = made.files[1:]
    swapped = (store.add_bytes(b"other", asked.files[0].name), *made.files[1:])
    for_arm = packed(asked, store, Architecture="arm64")
    wrong: list[Product] = [
        replace(made, changes=changes_of(other, made.files, store)),
        replace(made, changes=changes_of(asked, lost, store)),
        replace(made, files=lost, changes=changes_of(asked, lost, store)),
        replace(made, files=swapped, changes=changes_of(asked, swapped, store)),
        replace(made, files=asked.files, changes=changes_of(asked, asked.files, store)),
        replace(made, changes=store.add_bytes(b"\xff\xfe", "a.changes")),
        replace(made, log=NOTHING),
        replace(made, log=replace(made.log, size=10**12)),
        replace(made, findings=(Finding(stage="s", code="c", severity="info", message=""),) * 3000),
        for_arm,
    ]
    for product in wrong:
        with pytest.raises(Hostile):
            judged(asked, dump(product), store)
    none: tuple[object, ...] = ("text", [], {"files": 1}, {**dump(made), "more": 1})
    for data in none:
        with pytest.raises(Hostile, match=r"cannot be read|no table"):
            judged(asked, data, store)


def test_a_deb_that_is_none_is_refused(asked: BuildAsked, store: Store) -> None:
    made = packed(asked, store)
    files = (*asked.files, store.add_bytes(b"!<arch>\nnot", made.files[-1].name))
    made = replace(made, files=files, changes=changes_of(asked, files, store))
    with pytest.raises(Hostile, match="cannot read"):
        judged(asked, dump(made), store)


def test_the_log_of_a_failure_is_named_or_it_is_not() -> None:
    log = Blob(name="a.build", sha256="a" * 64, size=3)
    assert read_log(dump(log)) == log
    for data in (None, {}, {"name": "/", "sha256": "a" * 64, "size": 1}, "x"):
        assert read_log(data) is None


def test_a_value_of_another_type_is_a_lie_and_no_bug(
    asked: BuildAsked, store: Store, theirs: Store
) -> None:
    made = dump(packed(asked, theirs))
    for spoil in ({"buildinfo": "x"}, {"rebuilt": 3}, {"files": 5}, {"log": None}, {"more": 1}):
        with pytest.raises(Hostile):
            judged(asked, {**made, **spoil}, store)
    with pytest.raises(Hostile):
        judged(asked, "text", store)
