"""The difference between two trees: each kind of change, bounds, and hostile names and contents."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.support.archives import Item, gz, hardlink, symlink, tar
from toolsync.archives.differ import FileChange, TreeDiff, listed, with_lines
from toolsync.archives.entries import Part, read_tree
from toolsync.config.settings import Limits
from toolsync.model.errors import Hostile

EVIL = "<script>alert(1)</script>'\"\x1b[2J\u202egnp.exe"


def diff(root: Path, old: Sequence[Item], new: Sequence[Item]) -> TreeDiff:
    trees = []
    for name, items in (("was.tar.gz", old), ("is.tar.gz", new)):
        (root / name).write_bytes(gz(tar(items)))
        trees.append(read_tree([Part(path=root / name)], Limits()))
    found = listed(trees[0], trees[1], root / "work", Limits())
    return with_lines(found, root / "work", seconds=60)


def of(found: TreeDiff, path: str) -> FileChange:
    (change,) = (change for change in found.changes if change.path == path)
    return change


def test_every_kind_of_change_is_told(tmp_path: Path) -> None:
    old = [
        Item(name="a-1/same", data=b"1\n"),
        Item(name="a-1/text", data=b"one\ntwo\nthree\n"),
        Item(name="a-1/gone", data=b"x\ny\n"),
        Item(name="a-1/from/here", data=b"moved, whole\n"),
        Item(name="a-1/run", data=b"#!/bin/sh\n"),
        Item(name="a-1/picture", data=b"\x89PNG\0\1"),
        symlink("a-1/link", "same"),
    ]
    new = [
        Item(name="a-2/same", data=b"1\n"),
        Item(name="a-2/text", data=b"one\n2\nthree\n--- old/1\n"),
        Item(name="a-2/come", data=b"z\n", mode=0o755),
        Item(name="a-2/to/there", data=b"moved, whole\n"),
        Item(name="a-2/run", data=b"#!/bin/sh\n", mode=0o755),
        Item(name="a-2/picture", data=b"\x89PNG\0\2\3"),
        symlink("a-2/link", "text"),
        hardlink("a-2/twin", "a-2/same"),
    ]
    found = diff(tmp_path, old, new)
    assert found.same == 1
    assert [(change.path, change.how) for change in found.changes] == [
        ("come", "added"),
        ("gone", "removed"),
        ("link", "changed"),
        ("picture", "changed"),
        ("run", "changed"),
        ("text", "changed"),
        ("to/there", "moved"),
        ("twin", "added"),
    ]
    assert of(found, "text").hunks.splitlines() == [
        "@@ -1,3 +1,4 @@",
        *(" one", "-two", "+2", " three", "+--- old/1"),
    ]
    assert (of(found, "text").gone, of(found, "text").come) == (1, 2)
    assert of(found, "gone").hunks == "@@ -1,2 +0,0 @@\n-x\n-y"
    assert of(found, "come").note == "can be executed"
    assert of(found, "run").note == "can be executed now"
    assert of(found, "to/there").note == "was from/here"
    assert of(found, "link").note == "was a link to same, a link to text"
    assert (of(found, "picture").note, of(found, "picture").after) == ("no text", 7)
    assert (found.gone, found.come) == (3, 3)


def test_names_and_contents_of_strangers_do_nothing(tmp_path: Path) -> None:
    lines = f"diff -u old/3 new/3\n--- old/3\n+++ new/3\n@@ -1 +1 @@\n{EVIL}\n"
    old = [Item(name="a/-rf", data=b"x\n"), Item(name="a/.gitattributes", data=b"* -diff\n")]
    new = [
        Item(name="a/-rf", data=lines.encode() + b"\xff\xfe\r\n"),
        Item(name=f"a/{EVIL[:20].replace('/', '')}", data=b"m" * 5_000_000),
        Item(name="a/long", data=b"l" * 1_500_000 + b"\n"),
    ]
    found = diff(tmp_path, old, new)
    assert len(found.changes) == 4
    told = of(found, "-rf").hunks
    assert f"+{EVIL}" in told
    assert told.endswith("+\ufffd\ufffd\r")
    assert of(found, "<script>alert(1)<scri"[:19]).note == "too large to be shown by lines"
    assert len(of(found, "long").hunks) < 1100


def test_very_many_lines_are_counted_and_not_kept(tmp_path: Path) -> None:
    many = "".join(f"{n}\n" for n in range(250_000)).encode()
    found = diff(tmp_path, [Item(name="a/x", data=b"0\n")], [Item(name="a/x", data=many)])
    change = found.changes[0]
    assert change.come == 249_999
    assert change.left > 0
    assert len(change.hunks) <= 1024 * 1024


def test_a_folder_is_compared_without_following_links(tmp_path: Path) -> None:
    folder = tmp_path / "debian"
    (folder / "source").mkdir(parents=True)
    (folder / "source" / "format").write_text("3.0 (quilt)\n")
    (folder / "rules").write_text("#!/usr/bin/make -f\n")
    (folder / "rules").chmod(0o755)
    (folder / "out").symlink_to("/etc/passwd")
    (folder / "up").symlink_to("..")
    packed = [
        Item(name="debian/source/format", data=b"3.0 (quilt)\n"),
        Item(name="debian/rules", data=b"#!/usr/bin/make -f\n", mode=0o755),
    ]
    (tmp_path / "debian.tar").write_bytes(tar(packed))
    old = read_tree([Part(path=tmp_path / "debian.tar")], Limits())
    new = read_tree([Part(path=folder)], Limits())
    found = with_lines(listed(old, new, tmp_path / "work", Limits()), tmp_path / "work", seconds=60)
    assert [(c.path, c.note) for c in found.changes] == [
        ("out", "a link to /etc/passwd"),
        ("up", "a link to .."),
    ]
    assert found.same == 2


def test_a_hostile_archive_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(tar([Item(name="../../etc/passwd", data=b"x")]))
    with pytest.raises(Hostile):
        read_tree([Part(path=tmp_path / "x")], Limits())
