"""Archives as hostile input: each test is one attack, and the sentence that refuses it."""

from __future__ import annotations

import contextlib
import io
import random
import struct
import tarfile
import time
import zipfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.archives import (
    COMPRESSORS,
    GOOD,
    Item,
    deb_of,
    folder,
    gz,
    hardlink,
    patched,
    raw_zip_entry,
    symlink,
    tar,
    with_header,
    zip_of,
    zst,
)
from toolsync.archives.extract import archive_form, read_members
from toolsync.archives.member import Kind, as_bytes, as_text
from toolsync.config.settings import Limits
from toolsync.model.errors import Hostile

NAMES = [item.name for item in GOOD]


def write(tmp_path: Path, data: bytes) -> Path:
    path = tmp_path / "archive"
    path.write_bytes(data)
    return path


def read_all(path: Path, limits: Limits) -> None:
    for member in read_members(path, limits):
        member.data.read()


def refusal(tmp_path: Path, data: bytes, limits: Limits | None = None) -> str:
    """Return the sentence that refuses ``data``; fail when nothing does or it leaves a trace."""
    path = write(tmp_path, data)
    with pytest.raises(Hostile) as caught:
        read_all(path, limits or Limits())
    assert list(tmp_path.iterdir()) == [path]
    assert caught.value.resolution
    assert str(caught.value).isascii()
    return str(caught.value)


@pytest.mark.parametrize("form", COMPRESSORS)
@pytest.mark.parametrize("layout", [tarfile.PAX_FORMAT, tarfile.GNU_FORMAT, tarfile.USTAR_FORMAT])
def test_every_tar_is_read_by_its_content(tmp_path: Path, form: str, layout: int) -> None:
    path = write(tmp_path, COMPRESSORS[form](tar(form=layout)))
    assert archive_form(path) == form
    found = [(m.path, m.data.read(), m.executable) for m in read_members(path, Limits())]
    assert found == [(i.name, i.data, i.data[:2] == b"#!") for i in GOOD]


@pytest.mark.parametrize("method", [0, 8, 12])
@pytest.mark.parametrize("dos", [False, True])
def test_every_zip_is_read(tmp_path: Path, method: int, dos: bool) -> None:
    path = write(tmp_path, zip_of(method=method, dos=dos))
    found = [(m.path, m.data.read(), m.executable) for m in read_members(path, Limits())]
    assert found == [(i.name, i.data, i.data[:2] == b"#!") for i in GOOD]


@pytest.mark.parametrize("form", ["", "gz", "xz", "zst"])
def test_a_deb_gives_its_data(tmp_path: Path, form: str) -> None:
    name = f"data.tar.{form}".rstrip(".")
    path = write(tmp_path, deb_of(name, COMPRESSORS[form](tar([Item(name="./usr/x", data=b"x")]))))
    assert [m.path for m in read_members(path, Limits())] == ["usr/x"]


def test_links_of_a_deb_start_at_its_own_root(tmp_path: Path) -> None:
    items = [
        symlink("./usr/share/tool/ca.pem", "/etc/ssl/certs/ca-certificates.crt"),
        symlink("./etc/top", "/"),
        symlink("./near", "/usr/share/tool"),
        symlink("./usr/bin/x", "../share/tool/x"),
    ]
    path = write(tmp_path, deb_of("data.tar", tar(items)))
    found = {m.path: m.target for m in read_members(path, Limits())}
    assert found == {
        "usr/share/tool/ca.pem": "../../../etc/ssl/certs/ca-certificates.crt",
        "etc/top": "../",
        "near": "usr/share/tool",
        "usr/bin/x": "../share/tool/x",
    }
    # Through another link and out of the root: nothing of this machine is ever reached.
    items = [symlink("./a", "/b"), symlink("./b", "../../etc/passwd")]
    assert "leaves the tree" in refusal(tmp_path, deb_of("data.tar", tar(items)))


def test_contents_need_not_be_read(tmp_path: Path) -> None:
    for data in (tar(), zip_of(), gz(tar())):
        assert [m.path for m in read_members(write(tmp_path, data), Limits())] == NAMES


def test_long_and_foreign_names_are_kept(tmp_path: Path) -> None:
    name = f"foo-2.0/{'d' * 200}/ü/{'f' * 200}"
    for layout in (tarfile.PAX_FORMAT, tarfile.GNU_FORMAT):
        path = write(tmp_path, tar([Item(name=name, data=b"x")], form=layout))
        assert [m.path for m in read_members(path, Limits())] == [name]


def test_setuid_is_dropped_and_told(tmp_path: Path) -> None:
    item = Item(name="a/su", data=b"x", mode=0o4755)
    for data in (tar([item]), zip_of([item])):
        (member,) = read_members(write(tmp_path, data), Limits())
        assert member.special
        assert member.executable


def test_dos_separators_are_understood_where_dos_wrote_them(tmp_path: Path) -> None:
    path = write(tmp_path, zip_of([Item(name="a\\b.txt", data=b"x")], dos=True))
    assert [m.path for m in read_members(path, Limits())] == ["a/b.txt"]


def test_a_backslash_is_part_of_a_name(tmp_path: Path) -> None:
    """As in systemd's units, whose names spell a hyphen so."""
    path = write(tmp_path, tar([Item(name="./a/b\\x2dc.slice", data=b"x")]))
    assert [m.path for m in read_members(path, Limits())] == ["a/b\\x2dc.slice"]


BAD_TREES: dict[str, tuple[tuple[Item, ...], str]] = {
    "parent": ((Item(name="../evil"),), "'../evil' has .. in its name"),
    "inner parent": ((Item(name="a/../../evil"),), "'a/../../evil' has .. in its name"),
    "absolute": ((Item(name="/etc/passwd"),), "'/etc/passwd' has an absolute name"),
    "backslash": ((Item(name="a\\..\\evil"),), "has a backslash in its name"),
    "newline": ((Item(name="a\nb"),), "'a\\nb' has a control character in its name"),
    "escape": ((Item(name="a\x1b[2Jb"),), "'a\\x1b[2Jb' has a control character"),
    "long part": ((Item(name="a/" + "b" * 256),), "has a name of 258 bytes, its longest part 256"),
    "long path": ((Item(name="a/" * 1500 + "b"),), "has a name of 3001 bytes"),
    "twice": ((Item(name="a/b", data=b"1"), Item(name="a/./b")), "'a/b' is there twice, so"),
    "twice, one CRC": (
        (Item(name="a/b", data=b"plumless"), Item(name="a/b", data=b"buckeroo")),
        "'a/b' is there twice, so",
    ),
    "twice, once runnable": (
        (Item(name="a/b", data=b"x"), Item(name="a/b", data=b"x", mode=0o755)),
        "'a/b' is there twice, so",
    ),
    "file over folder": ((folder("a/b"), Item(name="a/b")), "twice, as a folder and as a file"),
    "file over parents": ((Item(name="a/b"), Item(name="a")), "twice, as a folder and as a file"),
    "folder over file": ((Item(name="a"), folder("a")), "twice, as a file and as a folder"),
    "below a file": ((Item(name="a"), Item(name="a/b")), "'a/b' lies below 'a', which is a file"),
    "below a link": (
        (symlink("a/l", "b"), Item(name="a/l/evil")),
        "'a/l/evil' lies below 'a/l', which is a symlink",
    ),
    "absolute link": ((symlink("a/l", "/etc/passwd"),), "a link to '/etc/passwd', which leaves"),
    "link up": ((symlink("a/l", "../x"), Item(name="a/f")), "a link to '../x', which leaves"),
    "link out and in": ((symlink("a/l", "../a/f"), Item(name="a/f")), "which leaves the tree"),
    "link through a link": (
        (symlink("a/b/l", "../m/../.."), symlink("a/m", "c/d/.."), folder("a/c")),
        "'a/b/l' is a link to '../m/../..', which leaves the tree",
    ),
    "fifo": ((Item(name="a/p", kind=tarfile.FIFOTYPE),), "'a/p' is a"),
    "nothing": ((), "no member at all"),
}  # fmt: skip


@pytest.mark.parametrize("container", ["tar", "zip"])
@pytest.mark.parametrize("case", BAD_TREES)
def test_a_hostile_tree_is_refused(tmp_path: Path, case: str, container: str) -> None:
    items, sentence = BAD_TREES[case]
    assert sentence in refusal(tmp_path, tar(items) if container == "tar" else zip_of(items))


BAD_TAR_TREES: dict[str, tuple[tuple[Item, ...], str]] = {
    "device": ((Item(name="a/n", kind=tarfile.CHRTYPE),), "'a/n' is a character device"),
    "disk": ((Item(name="a/n", kind=tarfile.BLKTYPE),), "'a/n' is a block device"),
    "hard link out": ((hardlink("a/h", "../../etc/shadow"),), "'../../etc/shadow' has .. in its"),
    "hard link to nothing": ((hardlink("a/h", "a/x"),), "a hard link to 'a/x', which is no"),
    "hard link to itself": ((hardlink("a/h", "a/h"),), "a hard link to 'a/h', which is a hardlink"),
    "hard link to a link": (
        (symlink("a/l", "x"), hardlink("a/h", "a/l")),
        "a hard link to 'a/l', which is a symlink",
    ),
    "unknown type": ((Item(name="a/u", kind=b"Z"),), "'a/u' is of the unknown type 'Z'"),
    "sparse": ((Item(name="a/s", kind=b"S"),), "'a/s' is a sparse file"),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD_TAR_TREES)
def test_what_only_a_tar_can_hold_is_refused(tmp_path: Path, case: str) -> None:
    items, sentence = BAD_TAR_TREES[case]
    assert sentence in refusal(tmp_path, tar(items))


def test_a_loop_of_links_harms_nobody(tmp_path: Path) -> None:
    path = write(tmp_path, tar([symlink("a/x", "y"), symlink("a/y", "x/../../.."), folder("a/b")]))
    assert {m.kind for m in read_members(path, Limits())} == {Kind.SYMLINK, Kind.FOLDER}


def test_a_maze_of_links_ends_soon(tmp_path: Path) -> None:
    maze = [symlink(f"a/{n}", "./" * 500 + f"{n + 1}") for n in range(4000)]
    started = time.process_time()
    assert "too many links through links" in refusal(tmp_path, gz(tar(maze)))
    assert time.process_time() - started < 10


def test_folders_that_are_only_part_of_names_count(tmp_path: Path) -> None:
    deep = [Item(name=f"a/{n}" + "/d" * 900) for n in range(30)]
    assert "more than 20000 members" in refusal(tmp_path, tar(deep), Limits(members=20_000))


def test_names_that_are_not_utf8_are_kept_as_they_are(tmp_path: Path) -> None:
    data = with_header(tar([Item(name="a/b")], form=tarfile.USTAR_FORMAT), 0, 0, b"a/\xff")
    other = zip_of([Item(name="aXb")]).replace(b"aXb", b"a\xffb")
    for content, name in ((data, b"a/\xff"), (other, b"a\xffb")):
        (member,) = read_members(write(tmp_path, content), Limits())
        assert as_bytes(member.path) == name
        assert as_text(member.path) == name.decode("ascii", "backslashreplace")
    twice = tar([Item(name="a/b"), Item(name="a/b")], form=tarfile.USTAR_FORMAT)
    bad = with_header(with_header(twice, 0, 0, b"a/\xff"), 512, 0, b"a/\xff")
    assert "'a/\\\\xff' is there twice" in refusal(tmp_path, bad)


SPARSE: dict[str, dict[str, str]] = {
    "of pax 1.0": {"GNU.sparse.major": "1", "GNU.sparse.minor": "0", "GNU.sparse.name": "a/real"},
    "of pax 0.1": {"GNU.sparse.map": "0,1", "GNU.sparse.name": "a/real"},
    "of star": {"SCHILY.realsize": "100", "path": "a/real"},
}


@pytest.mark.parametrize("case", SPARSE)
def test_a_pax_sparse_file_is_refused(tmp_path: Path, case: str) -> None:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as archive:
        info = tarfile.TarInfo("a/s")
        info.pax_headers = SPARSE[case]
        archive.addfile(info)
    assert "'a/real' is a sparse file" in refusal(tmp_path, out.getvalue())


@pytest.mark.parametrize(
    "stub", [b"MZ" + bytes(5000), b"#!/bin/sh\nexec unzip $0\n", b"\x7fELF" * 9]
)
@pytest.mark.parametrize("counted", [False, True])
def test_a_zip_that_unpacks_itself_is_read(tmp_path: Path, stub: bytes, counted: bool) -> None:
    plain = write(tmp_path, zip_of())
    wanted = [(m.path, m.kind, m.data.read()) for m in read_members(plain, Limits())]
    if counted:
        out = io.BytesIO(stub)
        out.seek(len(stub))
        with zipfile.ZipFile(out, "a") as archive, zipfile.ZipFile(plain) as given:
            for info in given.infolist():
                archive.writestr(info, given.read(info))
        data = out.getvalue()
    else:
        data = stub + zip_of()
    path = write(tmp_path, data)
    assert archive_form(path) == "zip"
    assert [(m.path, m.kind, m.data.read()) for m in read_members(path, Limits())] == wanted
    assert "starts with" in refusal(tmp_path, data[:-40])


@pytest.mark.parametrize("data", [b"", b"the same bytes"])
def test_what_a_zip_has_twice_with_the_same_bytes_is_one_member(
    tmp_path: Path, data: bytes
) -> None:
    items = [Item(name="a/b", data=data), symlink("a/l", "b")]
    path = write(tmp_path, zip_of([*items, Item(name="a/c", data=b"c"), *items]))
    found = [(m.path, m.data.read()) for m in read_members(path, Limits())]
    assert found == [("a/b", data), ("a/l", b""), ("a/c", b"c")]


def test_too_much_is_refused(tmp_path: Path) -> None:
    many = tar([Item(name=f"a/{n}") for n in range(20)])
    assert "more than 10 members, the limit" in refusal(tmp_path, many, Limits(members=10))
    many_in_zip = zip_of([Item(name=f"a/{n}") for n in range(20)])
    assert "has 20 members, the limit is 10" in refusal(tmp_path, many_in_zip, Limits(members=10))
    big = [Item(name="a/big", data=bytes(100_000))]
    for data in (tar(big), gz(tar(big)), zip_of(big)):
        assert "more than 50000 bytes" in refusal(tmp_path, data, Limits(unpacked_bytes=50_000))


@pytest.mark.parametrize("form", ["gz", "bz2", "xz", "zst", "zip"])
def test_a_bomb_is_stopped(tmp_path: Path, form: str) -> None:
    bomb = [Item(name="a/zeros", data=bytes(80 * 1024 * 1024))]
    data = zip_of(bomb) if form == "zip" else COMPRESSORS[form](tar(bomb))
    assert "beyond 200 times its size: that is how a bomb looks" in refusal(tmp_path, data)


def test_a_small_text_that_packs_well_passes(tmp_path: Path) -> None:
    zeros = Item(name="a/zeros", data=bytes(40 * 1024 * 1024))
    (member,) = read_members(write(tmp_path, zip_of([zeros])), Limits())
    assert member.size == 40 * 1024 * 1024


def test_what_is_no_archive_is_refused(tmp_path: Path) -> None:
    assert "is empty" in refusal(tmp_path, b"")
    assert "is a web page" in refusal(tmp_path, b"<html>Please log in</html>\n")
    assert "starts with 'MZ" in refusal(tmp_path, b"MZ\x90\0" * 300)
    assert "is no tar" in refusal(tmp_path, gz(b"hello\n"))
    assert "no tar is inside" in refusal(tmp_path, gz(b"hello\n" * 200))
    assert "wanted a .deb" in refusal(
        tmp_path, deb_of("data.tar", b"").replace(b"debian-b", b"x" * 8)
    )
    assert "without data.tar" in refusal(tmp_path, deb_of("other", b""))
    for inner, form in ((zip_of(), "zip"), (deb_of("data.tar", tar()), "deb")):
        assert f"data.tar is a {form}" in refusal(tmp_path, deb_of("data.tar.gz", inner))


def test_a_tar_that_ends_too_early_or_too_late_is_refused(tmp_path: Path) -> None:
    plain = tar([Item(name="a/b", data=b"x" * 600)], form=tarfile.USTAR_FORMAT)
    assert "has no end mark of a tar" in refusal(tmp_path, plain[:1536])
    assert "ends in the middle of 'a/b'" in refusal(tmp_path, plain[:800])
    assert "more data after the tar's end mark" in refusal(tmp_path, plain + plain)
    assert "gz data is not valid" in refusal(tmp_path, gz(plain) + b"garbage")
    assert list(read_members(write(tmp_path, gz(plain) + bytes(60)), Limits()))


def test_a_damaged_tar_header_is_refused(tmp_path: Path) -> None:
    plain = tar([Item(name="a/b", data=b"x"), Item(name="a/c")], form=tarfile.USTAR_FORMAT)
    assert "header's checksum does not match" in refusal(tmp_path, patched(plain, b"a/c", b"a/d"))
    assert "wanted octal digits" in refusal(tmp_path, with_header(plain, 0, 124, b"9" * 11))
    huge = with_header(plain, 0, 124, b"\x80" + b"\x00" * 4 + b"\x7f" * 7)
    assert "ends in the middle of 'a/b'" in refusal(tmp_path, huge)
    negative = with_header(plain, 0, 124, b"\xff" * 12)
    assert "has the size -1" in refusal(tmp_path, negative)


def test_an_extended_header_of_gigabytes_is_refused(tmp_path: Path) -> None:
    data = tar([Item(name="a/" + "b" * 120)], form=tarfile.GNU_FORMAT)
    large = with_header(data, 0, 124, b"\x80" + struct.pack(">3xQ", 1 << 40))
    assert "has an extended header of 1099511627776 bytes" in refusal(tmp_path, large)


def test_an_encrypted_zip_is_refused(tmp_path: Path) -> None:
    data = bytearray(zip_of())
    data[raw_zip_entry(bytes(data), 1) + 8] |= 1
    assert "'foo-2.0/README' is encrypted" in refusal(tmp_path, bytes(data))


def test_a_zip_that_lies_is_refused(tmp_path: Path) -> None:
    data = zip_of([Item(name="a/b", data=b"x" * 1000)])
    at = raw_zip_entry(data, 0)
    for size, sentence in ((10, "differs between"), (5000, "differs between")):
        lying = data[: at + 24] + struct.pack("<L", size) + data[at + 28 :]
        assert sentence in refusal(tmp_path, lying)
        both = lying[:22] + struct.pack("<L", size) + lying[26:]
        wanted = "holds more than the 10 bytes" if size == 10 else "ends in the middle"
        text = refusal(tmp_path, both)
        assert wanted in text or "holds 1000 bytes and states 5000" in text
    crc = data[:14] + b"\1\2\3\4" + data[18 : at + 16] + b"\1\2\3\4" + data[at + 20 :]
    assert "is damaged: its CRC is" in refusal(tmp_path, crc)
    renamed = patched(data, b"a/b", b"a/c", last=True)
    assert "differs between the zip's directory" in refusal(tmp_path, renamed)


def test_overlapping_zip_entries_are_refused(tmp_path: Path) -> None:
    data = zip_of([Item(name="a/b", data=b"x" * 99), Item(name="a/c", data=b"x" * 99)])
    data = patched(data, b"a/c", b"a/b", last=True)
    at = raw_zip_entry(data, 1)
    overlapping = data[: at + 42] + struct.pack("<L", 0) + data[at + 46 :]
    assert "overlaps another member" in refusal(tmp_path, overlapping)


def test_a_zip_cut_short_or_prefixed_is_refused(tmp_path: Path) -> None:
    data = zip_of()
    assert "no end record of a zip" in refusal(tmp_path, data[:-30])
    assert "not where its end record says" in refusal(tmp_path, data[:4] + b"12345" + data[4:])


def test_unknown_zip_compression_is_refused(tmp_path: Path) -> None:
    data = zip_of(method=zipfile.ZIP_LZMA)
    assert "is compressed by zip method 14" in refusal(tmp_path, data)


def test_a_huge_dictionary_is_refused(tmp_path: Path) -> None:
    data = b"\x5d\x00\x00\xff\xff" + b"\xff" * 8 + bytes(600)
    assert "lzma data is not valid" in refusal(tmp_path, data)


def test_a_zstd_stream_cut_short_is_refused(tmp_path: Path) -> None:
    assert "in the middle of its zst stream" in refusal(tmp_path, zst(tar())[:-20])


@settings(
    max_examples=300, deadline=5000, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.sampled_from([*COMPRESSORS, "zip", "deb"]), st.integers(), st.booleans())
def test_damage_never_gives_anything_but_hostile(
    tmp_path: Path, form: str, seed: int, cut: bool
) -> None:
    dice = random.Random(seed)
    items = (*GOOD, symlink("foo-2.0/l", "README"))
    if form == "zip":
        data = bytearray(zip_of(items))
    elif form == "deb":
        data = bytearray(deb_of("data.tar.xz", COMPRESSORS["xz"](tar(items))))
    else:
        data = bytearray(COMPRESSORS[form](tar(items)))
    for _ in range(dice.randint(0 if cut else 1, 4)):
        data[dice.randrange(len(data))] ^= 1 << dice.randrange(8)
    if cut:
        del data[dice.randrange(len(data)) :]
    path, started = write(tmp_path, bytes(data)), time.process_time()
    with contextlib.suppress(Hostile):
        read_all(path, Limits())
    assert time.process_time() - started < 5
