"""A release laid out as files: for both gates, and for what the command line names."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.archives import COMPRESSORS, GOOD, Item, folder, hardlink, symlink, tar, zip_of
from toolsync.archives.tree import open_any, open_tree
from toolsync.config.settings import Limits
from toolsync.model.errors import Hostile, UsageError
from toolsync.system.store import Store
from toolsync.system.work import Workshop


@pytest.fixture
def workshop(tmp_path: Path) -> Workshop:
    return Workshop(tmp_path / "state", tmp_path / "work")


def laid_out(top: Path) -> dict[str, bytes]:
    return {p.relative_to(top).as_posix(): p.read_bytes() for p in top.rglob("*") if p.is_file()}


WANTED = {i.name.partition("/")[2]: i.data for i in GOOD if i.data}


@pytest.mark.parametrize("form", ["", "gz", "xz", "zip"])
def test_a_tree_is_given_by_its_top_and_removed_again(
    tmp_path: Path, workshop: Workshop, form: str
) -> None:
    data = zip_of() if form == "zip" else COMPRESSORS[form](tar())
    store = Store(tmp_path / "store")
    blob = store.add_bytes(data, "foo_2.0.orig.tar.gz")
    with open_tree(blob, store=store, workshop=workshop, limits=Limits()) as top:
        assert top.name == "foo-2.0"
        assert laid_out(top) == WANTED
        assert (top / "configure").stat().st_mode & 0o777 == 0o755
        assert (top / "README").stat().st_mode & 0o777 == 0o644
    assert not list(workshop.root.iterdir())


def test_links_are_made_and_stay_inside(tmp_path: Path, workshop: Workshop) -> None:
    items = (
        folder("a"),
        symlink("a/near", "file"),
        Item(name="a/file", data=b"x"),
        hardlink("a/again", "a/file"),
        symlink("a/gone", "not/there"),
    )
    path = tmp_path / "a.tar"
    path.write_bytes(tar(items))
    with open_any(path, workshop=workshop, limits=Limits()) as top:
        assert (top / "near").read_bytes() == b"x"
        assert (top / "again").samefile(top / "file")
        assert (top / "gone").is_symlink()


@pytest.mark.parametrize(
    "items",
    [
        (symlink("a/out", "../../.."), Item(name="a/file")),
        (symlink("a/out", "/etc"), Item(name="a/out/passwd", data=b"x")),
        (Item(name="a/file"), Item(name="../file")),
        (Item(name="a/file", data=b"x" * 2000),),
    ],
)
def test_what_is_hostile_leaves_nothing(
    tmp_path: Path, workshop: Workshop, items: tuple[Item, ...]
) -> None:
    path = tmp_path / "a.tar"
    path.write_bytes(tar(items))
    with (
        pytest.raises(Hostile),
        open_any(path, workshop=workshop, limits=Limits(unpacked_bytes=1000)),
    ):
        pass
    assert not list(workshop.root.iterdir())


def test_a_folder_is_given_as_it_is_and_stays(tmp_path: Path, workshop: Workshop) -> None:
    with open_any(tmp_path, workshop=workshop, limits=Limits()) as top:
        assert top == tmp_path
    assert tmp_path.is_dir()


def test_several_tops_are_one_tree(tmp_path: Path, workshop: Workshop) -> None:
    path = tmp_path / "a.tar"
    path.write_bytes(tar((Item(name="a/x", data=b"1"), Item(name="b/x", data=b"2"))))
    with open_any(path, workshop=workshop, limits=Limits()) as top:
        assert laid_out(top) == {"a/x": b"1", "b/x": b"2"}


def test_what_is_neither_file_nor_folder_is_a_usage_error(
    tmp_path: Path, workshop: Workshop
) -> None:
    with (
        pytest.raises(UsageError, match="neither a file nor a folder"),
        open_any(tmp_path / "none", workshop=workshop, limits=Limits()),
    ):
        pass
