"""Answers: what is right is accepted, and no lie is."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.fleet import LIES, NOTHING, asked_for, changes_of, changes_with, packed
from toolsync.build.stage import Product
from toolsync.fleet.build import BuildAsked
from toolsync.fleet.built import judged
from toolsync.fleet.checks import read_log
from toolsync.model.errors import Hostile
from toolsync.model.release import Rebuilt
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
        ("stowaway", "the package openssh-server, which hello_1.0-1.dsc has not"),
        ("other_version", "a .deb of hello 1.0-1 as 9:99"),
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
        replace(
            made, findings=(Finding(stage="build", code="c", severity="info", message=""),) * 3000
        ),
        for_arm,
        replace(made, changes=replace(made.changes, name=made.files[1].name)),
        replace(made, changes=replace(made.changes, name="a.dsc")),
        replace(made, changes=replace(made.changes, name="hello_1.0-1_i386.changes")),
        replace(made, buildinfo=replace(made.log, name=made.files[1].name)),
        _with_more(asked, made, store, "hello_1.0.orig-x.tar.xz"),
        _with_more(asked, made, store, "sudo_1.0-1.dsc"),
        _renamed(asked, made, store, "sudo_1.0-1_all.deb"),
    ]
    for product in wrong:
        with pytest.raises(Hostile):
            judged(asked, dump(product), store)
    none: tuple[object, ...] = ("text", [], {"files": 1}, {**dump(made), "more": 1})
    for data in none:
        with pytest.raises(Hostile, match=r"cannot be read|no table"):
            judged(asked, data, store)


def _with_more(asked: BuildAsked, made: Product, store: Store, name: str) -> Product:
    files = (*made.files, store.add_bytes(b"more", name))
    return replace(made, files=files, changes=changes_of(asked, files, store))


def _renamed(asked: BuildAsked, made: Product, store: Store, name: str) -> Product:
    files = (*made.files[:-1], replace(made.files[-1], name=name))
    return replace(made, files=files, changes=changes_of(asked, files, store))


def test_packages_that_the_source_names_are_accepted(store: Store) -> None:
    """An epoch is no part of a file's name; symbols come beside the package they are of."""
    asked = asked_for(store, version="1:2.0-1")
    asked = replace(
        asked, files=tuple(replace(b, name=b.name.replace("1:", "")) for b in asked.files)
    )
    for package in ("hello", "hello-doc", "hello-dbgsym"):
        made = packed(asked, store, Package=package, Source="hello")
        made = replace(made, changes=replace(made.changes, name="hello_2.0-1_amd64.changes"))
        assert judged(asked, dump(made), store) == made


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (" misc optional hello_1.0-1_all.deb", " misc optional sudo_1.0-1_all.deb"),
        (" misc optional hello_1.0-1_all.deb", " ../x optional hello_1.0-1_all.deb"),
        ("Files:\n ", "Files:\n 0"),
        ("Files:\n", "Files:\n d41d8cd98f00b204e9800998ecf8427e 0 misc optional x.deb\n"),
        ("Files:\n", "Other:\n"),
        ("Files:\n", "Checksums-Sha1:\n 00 1 hello_1.0-1.dsc\nFiles:\n"),
        ("Version: 1.0-1\n", "Version: 1.0-1\nversion: 9.0-1\n"),
        ("Version: 1.0-1\n", "Version: 1.0-1\n\nVersion: 9.0-1\n"),
        ("Source: ", "-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA512\n\nSource: "),
        ("Version: 1.0-1\n", "Maintainer: x\u2028Version: 1.0-1\n"),
    ],
)
def test_a_changes_with_two_readings_is_refused(
    old: str, new: str, asked: BuildAsked, store: Store
) -> None:
    made = packed(asked, store)
    assert judged(asked, dump(changes_with(made, store, "Source", "Source")), store)
    with pytest.raises(Hostile):
        judged(asked, dump(changes_with(made, store, old, new)), store)


def test_a_second_build_and_findings_are_such_as_a_build_has(
    asked: BuildAsked, store: Store
) -> None:
    found = Finding(stage="build", code="lintian:no-manual-page", severity="info", message="m")
    rebuilt = Rebuilt(verdict="different", statement="s", varied=("clock",))
    report = store.add_bytes(b"differs", "hello_1.0-1_all.diffoscope.txt")
    right = replace(
        packed(asked, store), findings=(found,), rebuilt=replace(rebuilt, report=report)
    )
    assert judged(asked, dump(right), store) == right
    wrong = [
        replace(right, rebuilt=replace(rebuilt, report=replace(NOTHING, name="x.txt"))),
        replace(right, rebuilt=replace(rebuilt, report=replace(report, size=10**9))),
        replace(right, rebuilt=replace(rebuilt, report=replace(report, name="../../etc/x"))),
        replace(right, rebuilt=replace(rebuilt, verdict="<script>")),
        replace(right, rebuilt=replace(rebuilt, statement="x" * 30_000)),
        replace(right, rebuilt=replace(rebuilt, notes=("x",) * 5_000)),
        replace(right, findings=(replace(found, stage="verify"),)),
        replace(right, findings=(replace(found, severity="none at all"),)),
        replace(right, findings=(replace(found, code="a code\nwith lines"),)),
        replace(right, findings=(replace(found, code="x" * 5_000),)),
    ]
    for product in wrong:
        with pytest.raises(Hostile):
            judged(asked, dump(product), store)


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
