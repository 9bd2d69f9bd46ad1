"""What debian/copyright leaves out is never judged, but for where it leads and how large it is."""

from __future__ import annotations

import hashlib
import subprocess
import tarfile
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.support.archives import (
    COMPRESSORS,
    Item,
    folder,
    gz,
    hardlink,
    raw_zip_entry,
    symlink,
    tar,
    with_header,
    zip_of,
)
from tests.unit.unpack.test_orig import names, orig
from toolsync.config.settings import Limits
from toolsync.model.errors import Hostile

KEPT = (folder("p-1"), Item(name="p-1/a", data=b"a\n"))
PATTERNS = ["__MACOSX", "._*", "*s", "*sp", "na*", "odd"]

HOSTILE: dict[str, Sequence[Item]] = {
    "link to the system": (symlink("p-1/s", "/etc/ssl/certs"),),
    "link up": (symlink("p-1/s", "../../x"),),
    "link to an odd name": (symlink("p-1/s", "a\\b"),),
    "control character": (Item(name="p-1/na\nive", data=b"x"),),
    "twice": (Item(name="p-1/odd", data=b"1"), Item(name="p-1/odd", data=b"22")),
    "twice, also as a folder": (Item(name="p-1/odd", data=b"1"), folder("p-1/odd")),
    "below a file": (Item(name="p-1/odd", data=b"1"), Item(name="p-1/odd/b", data=b"2")),
    "below a link": (symlink("p-1/odd", "a"), Item(name="p-1/odd/b", data=b"2")),
    "fifo": (Item(name="p-1/odd", kind=tarfile.FIFOTYPE),),
    "another top folder": (folder("odd"), Item(name="odd/b", data=b"b")),
    "macOS's own": (Item(name="__MACOSX/p-1/._a", data=b"mac"), Item(name="._p-1", data=b"mac")),
}
IN_TARS: dict[str, Sequence[Item]] = {
    "device": (Item(name="p-1/odd", kind=tarfile.CHRTYPE),),
    "unknown type": (Item(name="p-1/odd", kind=b"Z"),),
    "old sparse file": (Item(name="p-1/odd", kind=b"S"),),
    "hard link to nothing": (hardlink("p-1/odd", "p-1/nothing"),),
    "hard link to itself": (hardlink("p-1/odd", "p-1/odd"),),
    "hard link to a folder": (hardlink("p-1/odd", "p-1"),),
}
CASES = [(name, "zip") for name in HOSTILE] + [(name, "gz") for name in (*HOSTILE, *IN_TARS)]
CASES += [(name, "zst") for name in (*HOSTILE, *IN_TARS)]


def packed(items: Sequence[Item], form: str) -> bytes:
    data: bytes = zip_of(items) if form == "zip" else COMPRESSORS[form](tar(items))
    return data


@pytest.mark.parametrize(("case", "form"), CASES)
@pytest.mark.parametrize("first", [True, False])
def test_what_is_left_out_is_not_judged(tmp_path: Path, case: str, form: str, first: bool) -> None:
    odd = (HOSTILE | IN_TARS)[case]
    items = (*odd, *KEPT) if first else (*KEPT, *odd)
    made = orig(tmp_path, packed(items, form), PATTERNS)
    assert names(made) == ["p-1", "p-1/a"]
    clean = orig(tmp_path, packed((*KEPT, Item(name="p-1/odd")), form), PATTERNS)
    with_odd = orig(tmp_path, packed(items, form), PATTERNS)
    digests = {hashlib.sha256(one.path.read_bytes()).hexdigest() for one in (clean, with_odd)}
    assert len(digests) == 1


@pytest.mark.parametrize("form", ["zip", "gz"])
@pytest.mark.parametrize("case", ["link to the system", "control character", "twice", "fifo"])
def test_what_is_kept_is_judged(tmp_path: Path, case: str, form: str) -> None:
    items = (*KEPT, *HOSTILE[case], Item(name="p-1/z"))
    with pytest.raises(Hostile):
        orig(tmp_path, packed(items, form), ["z"])
    with pytest.raises(Hostile):
        orig(tmp_path, packed(items, form))


@pytest.mark.parametrize("form", ["zip", "gz", "zst"])
@pytest.mark.parametrize("name", ["../odd", "/odd", "p-1/../../odd", "p-1\\..\\..\\odd"])
def test_escapes_count_for_all(tmp_path: Path, form: str, name: str) -> None:
    with pytest.raises(Hostile):
        orig(tmp_path, packed((*KEPT, Item(name=name, data=b"x")), form), ["*odd", "*"])


def test_sizes_count_for_all(tmp_path: Path) -> None:
    large = (*KEPT, Item(name="p-1/odd", data=bytes(300_000)))
    for form in ("zip", "gz", "zst"):
        with pytest.raises(Hostile, match="holds more than 100000 bytes"):
            orig(tmp_path, packed(large, form), ["odd"], limits=Limits(unpacked_bytes=100_000))
    many = (*KEPT, *(Item(name=f"p-1/odd/{number}") for number in range(50)))
    for form in ("zip", "gz"):
        with pytest.raises(Hostile, match="30"):
            orig(tmp_path, packed(many, form), ["odd"], limits=Limits(members=30))


def unreadable(data: bytes, index: int, how: str) -> bytes:
    """Return a zip whose entry is said to be encrypted or compressed by an unknown method."""
    changed, at = bytearray(data), raw_zip_entry(data, index)
    local = int.from_bytes(changed[at + 42 : at + 46], "little")
    for flags, method in ((at + 8, at + 10), (local + 6, local + 8)):
        if how == "encrypted":
            changed[flags] |= 1
        else:
            changed[method : method + 2] = (99).to_bytes(2, "little")
    return bytes(changed)


@pytest.mark.parametrize("how", ["encrypted", "of an unknown method"])
def test_what_nobody_can_read_may_be_left_out(tmp_path: Path, how: str) -> None:
    data = unreadable(zip_of((*KEPT, Item(name="p-1/odd", data=b"secret" * 9))), 2, how)
    with pytest.raises(Hostile, match=r"encrypted|zip method 99"):
        orig(tmp_path, data)
    assert names(orig(tmp_path, data, ["odd"])) == ["p-1", "p-1/a"]
    with pytest.raises(Hostile, match="holds more than 50 bytes"):
        orig(tmp_path, data, ["odd"], limits=Limits(unpacked_bytes=50))


def sparse(path: Path) -> Path:
    """Make a tree with a file of many holes."""
    top = path / "in" / "p-1"
    top.mkdir(parents=True)
    (top / "a").write_bytes(b"a\n")
    with (top / "sp").open("wb") as file:
        for number in range(40):
            file.seek(number * 100_000)
            file.write(b"x")
        file.truncate(5_000_000)
    return path


@pytest.mark.parametrize("form", ["gnu", "pax"])
def test_a_sparse_file_may_be_left_out(tmp_path: Path, form: str) -> None:
    place = sparse(tmp_path / "made")
    words = [
        "tar",
        f"--format={form}",
        "--sparse",
        "-C",
        f"{place}/in",
        "-czf",
        f"{place}/t",
        "p-1",
    ]
    subprocess.run(words, check=True)
    data = (place / "t").read_bytes()
    with pytest.raises(Hostile, match="'p-1/sp' is a sparse file"):
        orig(tmp_path, data)
    assert names(orig(tmp_path, data, ["*sp"])) == ["p-1", "p-1/a"]


def latin1(top: str = "p-1") -> bytes:
    items = (folder(top), Item(name=f"{top}/naXve", data=b"x\n"), Item(name=f"{top}/z"))
    data = tar(items, form=tarfile.USTAR_FORMAT)
    return with_header(data, 512, 0, f"{top}/na".encode() + b"\xefve")


def test_a_latin1_name_stays_where_the_tarball_is_kept(tmp_path: Path) -> None:
    made = orig(tmp_path, gz(latin1()))
    assert made.untouched


@pytest.mark.parametrize("how", ["something left out", "another compression", "no top", "zip"])
def test_a_latin1_name_is_repacked_byte_for_byte(tmp_path: Path, how: str) -> None:
    data, excluded, options = gz(latin1()), [], {}
    if how == "something left out":
        excluded = ["z"]
    elif how == "another compression":
        options = {"compression": "xz", "force": True}
    elif how == "no top":
        data = gz(tar([Item(name="y")], form=tarfile.USTAR_FORMAT)[:512] + latin1())
    else:
        data = zip_of((*KEPT, Item(name="p-1/naXve", data=b"x\n"))).replace(b"naX", b"na\xef")
    made = orig(tmp_path, data, excluded, **options)
    assert not made.untouched
    listed = subprocess.run(["tar", "-tf", made.path, "--quoting-style=literal"],
        capture_output=True, check=True).stdout  # fmt: skip
    assert b"p-1/na\xefve\n" in listed


def test_a_latin1_name_that_is_left_out_is_told_in_ascii(tmp_path: Path) -> None:
    made = orig(tmp_path, gz(latin1()), ["na*"])
    assert made.excluded == ("p-1/na\\xefve",)
    assert names(made) == ["p-1", "p-1/z"]


@pytest.mark.parametrize("form", ["gz", "zst"])
def test_a_hard_link_whose_file_is_left_out_becomes_the_file(tmp_path: Path, form: str) -> None:
    items = (
        *KEPT,
        Item(name="p-1/odd", data=b"x" * 700, mode=0o755),
        hardlink("p-1/one", "p-1/odd"),
        hardlink("p-1/two", "p-1/one"),
    )
    made = orig(tmp_path, packed(items, form), ["odd"])
    with tarfile.open(made.path) as archive:
        found = {info.name: (info.type, info.linkname) for info in archive.getmembers()}
    assert found["p-1/one"] == (tarfile.REGTYPE, "")
    assert found["p-1/two"] == (tarfile.LNKTYPE, "p-1/one")
    subprocess.run(["tar", "-C", tmp_path, "-xf", made.path], check=True)
    assert (tmp_path / "p-1/two").read_bytes() == b"x" * 700
    assert (tmp_path / "p-1/two").stat().st_mode & 0o111


def test_a_hard_link_to_what_is_left_out_and_no_file_is_refused(tmp_path: Path) -> None:
    for odd in (
        [symlink("p-1/odd", "a")],
        [Item(name="p-1/odd", data=b"1"), Item(name="p-1/odd", data=b"2")],
        [Item(name="p-1/odd", kind=b"S")],
    ):
        items = (*KEPT, *odd, hardlink("p-1/one", "p-1/odd"))
        with pytest.raises(Hostile, match="'p-1/one' is a hard link to 'p-1/odd'"):
            orig(tmp_path, gz(tar(items)), ["odd"])


MACS = {
    "zip": zip_of((*KEPT, Item(name="__MACOSX/p-1/._a", data=b"mac"))),
    "zip with its folder": zip_of((folder("__MACOSX"), *KEPT, Item(name="__MACOSX/._p-1"))),
    "tar": gz(tar((Item(name="./._p-1", data=b"mac"), *KEPT))),
    "of the Finder": zip_of((*KEPT, Item(name=".DS_Store", data=b"mac"))),
    "of git's header": gz(tar((Item(name="pax_global_header", data=b"52 comment=x"), *KEPT))),
}


@pytest.mark.parametrize("case", MACS)
@pytest.mark.parametrize("excluded", [[], ["__MACOSX", "._*", ".DS_Store", "pax_*"]])
def test_what_macos_puts_beside_the_tree_makes_it_no_deeper(
    tmp_path: Path, case: str, excluded: list[str]
) -> None:
    made = orig(tmp_path, MACS[case], excluded)
    assert names(made) == ["p-1", "p-1/a"]
    told = [finding.code for finding in made.findings]
    assert told.count("macos-metadata") == (0 if excluded else 1)


def test_nothing_but_macos_files_is_a_tree_like_any_other(tmp_path: Path) -> None:
    made = orig(tmp_path, zip_of([folder("__MACOSX"), Item(name="__MACOSX/x", data=b"x")]))
    assert names(made) == ["__MACOSX", "__MACOSX/x"]


def test_the_top_folder_is_looked_for_when_others_are_gone(tmp_path: Path) -> None:
    items = (*KEPT, folder("junk"), Item(name="junk/j", data=b"j"), Item(name="p-1/na", data=b"n"))
    made = orig(tmp_path, gz(tar(items)), ["junk", "na"])
    assert names(made) == ["p-1", "p-1/a"]
    assert not made.findings


def test_a_zip_with_the_same_member_twice_is_repacked(tmp_path: Path) -> None:
    made = orig(tmp_path, zip_of((*KEPT, KEPT[1])))
    assert names(made) == ["p-1", "p-1/a"]


@pytest.mark.parametrize("form", ["gz", "zst"])
@pytest.mark.parametrize(
    "double", [KEPT[1], symlink("p-1/l", "a"), hardlink("p-1/h", "p-1/a")], ids=lambda i: i.name
)
def test_a_tarball_with_the_same_member_twice_is_repacked(
    tmp_path: Path, form: str, double: Item
) -> None:
    """A reader that refuses doubles must find none later."""
    made = orig(tmp_path, packed((*KEPT, double, double), form))
    assert names(made) == sorted({"p-1", "p-1/a", double.name})
    assert not made.untouched


@pytest.mark.parametrize(
    "double",
    [
        (Item(name="p-1/b", data=b"1"), Item(name="p-1/b", data=b"2")),
        (Item(name="p-1/b", data=b"1"), Item(name="p-1/b", data=b"1", mode=0o755)),
        (symlink("p-1/b", "a"), symlink("p-1/b", "c")),
    ],
)
def test_what_is_there_twice_and_differs_is_refused(tmp_path: Path, double: Sequence[Item]) -> None:
    with pytest.raises(Hostile, match="is there twice"):
        orig(tmp_path, gz(tar((*KEPT, *double))))


@pytest.mark.parametrize("after", [b"\0" * 300, b"-----BEGIN SIGNATURE-----\n" * 9, b"\n"])
@pytest.mark.parametrize("before", [b"", b"#!/bin/sh\nexit\n"])
def test_a_zip_with_other_bytes_around_it_is_read(
    tmp_path: Path, before: bytes, after: bytes
) -> None:
    assert names(orig(tmp_path, before + zip_of(KEPT) + after)) == ["p-1", "p-1/a"]
    with pytest.raises(Hostile, match="cut short"):
        orig(tmp_path, zip_of(KEPT)[:-20] + after[:1])
