"""Readings of terms: what is right is accepted, and no lie that can be seen is."""

from __future__ import annotations

import tarfile
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.archives import Item, gz, tar
from tests.support.fleet import SCAN_LIES, machine, release
from tests.support.mutations import MIT
from toolsync.config.settings import Limits
from toolsync.fleet.kind import Machine
from toolsync.fleet.scan import SCAN, ScanAsked, ScanPart, ScanRead, judged
from toolsync.license.terms import from_json
from toolsync.model.errors import Hostile
from toolsync.model.values import Blob, dump
from toolsync.system.fleetstore import open_store
from toolsync.system.store import Store


@pytest.fixture
def store(tmp_path: Path) -> Store:
    (tmp_path / "shared").mkdir()
    return open_store(tmp_path / "here", f"file://{tmp_path}/shared")


@pytest.fixture
def there(tmp_path: Path, store: Store) -> Machine:
    return machine(open_store(tmp_path / "there", f"file://{tmp_path}/shared"), tmp_path / "there")


def test_what_a_worker_reads_is_accepted_and_an_earlier_reading_helps(
    store: Store, there: Machine
) -> None:
    asked = release(store)
    assert SCAN.read(dump(asked)) == asked
    read = SCAN.do(asked, there)
    assert judged(asked, dump(read), store, Limits()) == read
    assert isinstance(read, ScanRead)
    terms = from_json(store.path(read.terms).read_bytes())
    assert terms is not None
    assert [text.id for text in terms.mains] == ["MIT"]
    again = SCAN.do(replace(asked, before=read.terms), there)
    assert again == read


@pytest.mark.parametrize(
    ("lie", "said"),
    [
        ("of_another", "not in t_1.orig"),
        ("left_out", "without 1 files"),
        ("moved", "not in t_1.orig"),
        ("of_this_machine", "another file"),
        ("nested", "are none"),
        ("wide", "600000 of something"),
        ("no_terms", "are none"),
        ("not_there", "in the store is not"),
    ],
)
def test_no_lie_is(lie: str, said: str, store: Store, there: Machine) -> None:
    asked = release(store)
    with pytest.raises(Hostile, match=said):
        judged(asked, dump(SCAN_LIES[lie](asked, there)), store, Limits())


def test_components_links_and_what_they_replace_are_judged_as_a_reading_has_them(
    store: Store, there: Machine
) -> None:
    items = [
        Item(name="t-1/COPYING", data=MIT.encode()),
        Item(name="t-1/LICENSE", kind=tarfile.SYMTYPE, target="COPYING"),
        Item(name="t-1/again", kind=tarfile.LNKTYPE, target="t-1/COPYING"),
        Item(name="t-1/x-1.0.dist-info/METADATA", data=b"Name: x\n"),
        Item(name="t-1/part/old.c", data=b"replaced"),
    ]
    part = [Item(name="p-2/new.c", data=b"new"), Item(name="p-2/LICENSE", data=MIT.encode())]
    asked = ScanAsked(
        orig=store.add_bytes(gz(tar(items)), "t_1.orig.tar.gz"),
        components=(
            ScanPart(component="part", orig=store.add_bytes(gz(tar(part)), "t_1.orig-part.tar.gz")),
        ),
        before=None,
    )
    read = SCAN.do(asked, there)
    assert judged(asked, dump(read), store, Limits()) == read
    for lie, said in (("left_out", "without 1 files"), ("moved", "not in t_1.orig")):
        with pytest.raises(Hostile, match=said):
            judged(asked, dump(SCAN_LIES[lie](asked, there)), store, Limits())


@pytest.mark.parametrize(
    "spoil",
    [
        {"terms": "x"},
        {"terms": {"name": "../x", "sha256": "0" * 64, "size": 1}},
        {"problems": ["x" * 3000]},
        {"problems": ["x"] * 1000},
        {"problems": [1]},
        {"more": 1},
    ],
)
def test_an_answer_of_another_form_is_refused(spoil: dict[str, object], store: Store) -> None:
    right = {"terms": dump(Blob(name="terms.json", sha256="0" * 64, size=1)), "problems": []}
    with pytest.raises(Hostile):
        judged(release(store), {**right, **spoil}, store, Limits())


@pytest.mark.parametrize(
    "spoil",
    [
        {"form": 2},
        {"orig": None},
        {"before": "x"},
        {"components": [{"component": "../x", "orig": None}]},
    ],
)
def test_a_question_of_another_form_is_refused(spoil: dict[str, object], store: Store) -> None:
    with pytest.raises(Hostile):
        SCAN.read({**dump(release(store)), **spoil})
