"""Two archives of the same tree, told from two that only look alike."""

from __future__ import annotations

import lzma
import tarfile
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.archives import Item, folder, gz, hardlink, symlink, tar, zip_of
from toolsync.archives.compare import difference, more_than
from toolsync.config.settings import Limits
from toolsync.model.errors import Hostile

TREE = (
    folder("a"),
    Item(name="a/run", data=b"#!/bin/sh\n", mode=0o755),
    Item(name="a/lib/x", data=b"x"),
    symlink("a/link", "lib/x"),
    hardlink("a/twin", "a/lib/x"),
)


def differ(root: Path, one: bytes, other: bytes) -> str:
    (root / "one").write_bytes(one)
    (root / "other").write_bytes(other)
    return difference(root / "other", root / "one", Limits())


SAME: dict[str, bytes] = {
    "another compression": lzma.compress(tar(TREE)),
    "another form": tar(TREE, form=tarfile.GNU_FORMAT),
    "another top folder": tar(
        [replace(i, name=f"b{i.name[1:]}", target=i.target.replace("a/", "b/", 1)) for i in TREE]
    ),
    "another order and other times": tar([replace(i, mtime=1) for i in (*TREE[2:], *TREE[:2])]),
    "folders named or not": tar([*TREE, folder("a/lib")]),
    "a copy in place of a hard link": tar([*TREE[:4], Item(name="a/twin", data=b"x")]),
    "other bits than for execution": tar([replace(i, mode=i.mode & 0o711) for i in TREE]),
}


@pytest.mark.parametrize("case", SAME)
def test_the_same_tree_in_other_bytes(tmp_path: Path, case: str) -> None:
    assert differ(tmp_path, gz(tar(TREE)), SAME[case]) == ""


OTHER: dict[str, tuple[bytes, str]] = {
    "content": (tar([*TREE[:2], Item(name="a/lib/x", data=b"y"), *TREE[3:]]), "'lib/x' is a file"),
    "one more": (tar([*TREE, Item(name="a/new")]), "'new' is a file of sha256"),
    "one less": (tar(TREE[:4]), "'twin' is not there, and in the other a file of sha256"),
    "an empty folder": (
        tar([*TREE, folder("a/empty")]),
        "'empty' is a folder, and in the other not",
    ),
    "execution": (
        tar([TREE[0], replace(TREE[1], mode=0o644), *TREE[2:]]),
        "in the other an executable",
    ),
    "setuid": (tar([TREE[0], replace(TREE[1], mode=0o4755), *TREE[2:]]), "setuid or setgid"),
    "where a link leads": (
        tar([*TREE[:3], symlink("a/link", "run"), TREE[4]]),
        "'link' is a link to 'run', and in the other a link to 'lib/x'",
    ),
    "a link for a file": (tar([*TREE[:4], symlink("a/twin", "lib/x")]), "'twin' is a link"),
    "no top folder": (tar([*TREE, Item(name="b")]), "'' is no folder of its own"),
}


@pytest.mark.parametrize("case", OTHER)
def test_another_tree_and_what_is_other_in_it(tmp_path: Path, case: str) -> None:
    data, phrase = OTHER[case]
    assert phrase in differ(tmp_path, gz(tar(TREE)), data)


def test_what_is_hostile_is_refused_and_not_compared(tmp_path: Path) -> None:
    with pytest.raises(Hostile):
        differ(tmp_path, tar(TREE), tar([Item(name="a/../../x")]))
    with pytest.raises(Hostile):
        differ(tmp_path, tar(TREE), lzma.compress(tar(TREE))[:-40])


contents = st.dictionaries(
    st.text("ab", min_size=1, max_size=2).map(lambda name: f"t/{name}"),
    st.tuples(st.binary(max_size=3), st.sampled_from([0o644, 0o755])),
    min_size=1,
)


@given(one=contents, other=contents)
def test_no_difference_means_equal_trees(
    tmp_path_factory: pytest.TempPathFactory, one: object, other: object
) -> None:
    assert isinstance(one, dict)
    assert isinstance(other, dict)
    root = tmp_path_factory.mktemp("trees")
    as_tar, as_zip = (
        [Item(name=name, data=data, mode=mode) for name, (data, mode) in tree.items()]
        for tree in (one, other)
    )
    assert (differ(root, tar(as_tar), zip_of(as_zip)) == "") == (one == other)


def test_what_one_has_besides_the_other_is_named(tmp_path: Path) -> None:
    (tmp_path / "whole").write_bytes(gz(tar([*TREE, Item(name="a/doc/rfc.txt", data=b"r")])))
    (tmp_path / "part").write_bytes(lzma.compress(tar(TREE)))
    found = more_than(tmp_path / "whole", tmp_path / "part", Limits())
    assert found == ("", ("doc/rfc.txt",))
    said, besides = more_than(tmp_path / "part", tmp_path / "whole", Limits())
    assert (said.startswith("'doc"), "not there, and in the other" in said) == (True, True)
    assert besides == ()
