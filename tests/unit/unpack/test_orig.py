"""The orig tarball: untouched where it can be, else the same bytes whatever the circumstances."""

from __future__ import annotations

import hashlib
import lzma
import os
import random
import subprocess
import sys
import tarfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

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
    symlink,
    tar,
    zip_of,
)
from toolsync.config.definition import CompatPolicy, Tool, Verify, Watch
from toolsync.config.licensing import LicensePolicy
from toolsync.config.settings import Limits
from toolsync.model.errors import Held, Hostile, SetupError, UsageError
from toolsync.model.release import Fetched, Release, Verified
from toolsync.system.store import Store
from toolsync.system.work import Workshop
from toolsync.unpack.exclusions import Exclusions
from toolsync.unpack.orig import Orig, make_orig
from toolsync.unpack.stage import unpack

DEP5 = "Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\n"


def orig(tmp_path: Path, data: bytes, excluded: Sequence[str] = (), **options: Any) -> Orig:
    """Make the orig tarball of an archive with this content."""
    archive = tmp_path / "given"
    archive.write_bytes(data)
    out = tmp_path / "out"
    given_options: dict[str, Any] = {"source": "foo", "version": "2.0", "limits": Limits()}
    given_options["exclusions"] = Exclusions(
        excluded=tuple(excluded), included=tuple(options.pop("included", ()))
    )
    return make_orig(archive, folder=out, **(given_options | options))


def listed(made: Orig) -> list[tarfile.TarInfo]:
    with tarfile.open(made.path) as archive:
        return archive.getmembers()


def names(made: Orig) -> list[str]:
    return [info.name for info in listed(made)]


def digest(made: Orig) -> str:
    return hashlib.sha256(made.path.read_bytes()).hexdigest()


@pytest.mark.parametrize("form", ["gz", "xz", "bz2", "lzma"])
def test_a_good_tarball_is_kept_byte_for_byte(tmp_path: Path, form: str) -> None:
    data = COMPRESSORS[form](tar())
    made = orig(tmp_path, data)
    assert (made.name, made.untouched) == (f"foo_2.0.orig.tar.{form}", True)
    assert made.path.read_bytes() == data
    assert (made.members, made.excluded, made.epoch) == (5, (), 1_700_000_000)
    assert [path.name for path in made.path.parent.iterdir()] == [made.name]


@pytest.mark.parametrize("form", ["", "zst", "lz"])
def test_what_dpkg_source_cannot_read_is_repacked(tmp_path: Path, form: str) -> None:
    made = orig(tmp_path, COMPRESSORS[form](tar()))
    assert (made.name, made.untouched) == ("foo_2.0.orig.tar.xz", False)
    assert names(made) == [item.name for item in GOOD]


def test_a_repacked_tarball_has_our_owners_and_modes(tmp_path: Path) -> None:
    made = orig(tmp_path, zip_of([*GOOD, Item(name="foo-2.0/su", data=b"x", mode=0o4755)]))
    found = {info.name: info for info in listed(made)}
    assert {(i.uid, i.gid, i.uname, i.gname) for i in found.values()} == {(0, 0, "", "")}
    assert {name: oct(info.mode) for name, info in found.items()} == {
        "foo-2.0": "0o755",
        "foo-2.0/README": "0o644",
        "foo-2.0/configure": "0o755",
        "foo-2.0/src": "0o755",
        "foo-2.0/src/main.c": "0o644",
        "foo-2.0/su": "0o755",
    }
    assert {info.mtime for info in found.values()} == {1_700_000_000}


def test_contents_survive(tmp_path: Path) -> None:
    made = orig(tmp_path, zip_of())
    with tarfile.open(made.path) as archive:
        for item in GOOD:
            content = archive.extractfile(item.name)
            assert (content.read() if content else b"") == item.data


def test_gnu_tar_and_xz_take_many_blocks(tmp_path: Path) -> None:
    data = random.Random(7).randbytes(9_000_000)
    made = orig(tmp_path, zip_of([Item(name="a/big", data=data), Item(name="a/c", data=b"x")]))
    subprocess.run(["xz", "-t", made.path], check=True)
    subprocess.run(["tar", "-C", tmp_path, "-xf", made.path], check=True)
    assert (tmp_path / "a/big").read_bytes() == data
    assert len(lzma.decompress(made.path.read_bytes())) % 10240 == 0


def test_dpkg_source_takes_it(tmp_path: Path) -> None:
    made = orig(tmp_path, zip_of())
    debian = made.path.parent / "foo-2.0" / "debian"
    (debian / "source").mkdir(parents=True)
    (debian / "source/format").write_text("3.0 (quilt)\n")
    (debian / "control").write_text(
        "Source: foo\nMaintainer: A <a@b>\nStandards-Version: 4.6.2\n\n"
        "Package: foo\nArchitecture: all\nDescription: x\n"
    )
    (debian / "changelog").write_text(
        "foo (2.0-1) unstable; urgency=low\n\n  * X.\n\n"
        " -- A <a@b>  Tue, 14 Nov 2023 22:13:20 +0000\n"
    )
    subprocess.run(["tar", "-C", made.path.parent, "-xf", made.path], check=True)
    subprocess.run(
        ["dpkg-source", "-b", "foo-2.0"], cwd=made.path.parent, check=True, capture_output=True
    )


@pytest.mark.parametrize("as_zip", [False, True])
def test_without_one_top_folder_everything_gets_one(tmp_path: Path, as_zip: bool) -> None:
    items = (Item(name="README"), Item(name="src/a.c"), symlink("l", "src/../README"))
    made = orig(tmp_path, zip_of(items) if as_zip else gz(tar(items)))
    assert names(made) == [f"foo-2.0{end}" for end in ("", "/README", "/l", "/src", "/src/a.c")]
    with pytest.raises(Hostile, match="leaves the tree"):
        orig(tmp_path, gz(tar([Item(name="README"), symlink("l", "../README")])))


def test_a_missing_top_may_be_left_missing(tmp_path: Path) -> None:
    assert orig(tmp_path, gz(tar([Item(name="a"), Item(name="b")])), wrap=False).untouched


def test_a_deb_gets_a_top_folder_even_if_all_is_below_usr(tmp_path: Path) -> None:
    made = orig(tmp_path, deb_of("data.tar.gz", gz(tar([folder("."), Item(name="./usr/x")]))))
    assert names(made) == ["foo-2.0", "foo-2.0/usr", "foo-2.0/usr/x"]


def test_setuid_is_a_reason_to_repack(tmp_path: Path) -> None:
    made = orig(tmp_path, gz(tar([*GOOD, Item(name="foo-2.0/su", mode=0o6755)])))
    assert not made.untouched
    assert {info.mode & 0o7000 for info in listed(made)} == {0}


def test_another_compression_can_be_forced(tmp_path: Path) -> None:
    data = gz(tar())
    assert orig(tmp_path, data, force=True, compression="gzip").untouched
    for compression, form in (("xz", "xz"), ("bzip2", "bz2"), ("lzma", "lzma")):
        made = orig(tmp_path, data, force=True, compression=compression)
        assert (made.name, made.untouched) == (f"foo_2.0.orig.tar.{form}", False)
    made = orig(tmp_path, zip_of(), compression="gz", component="bar")
    assert made.name == "foo_2.0.orig-bar.tar.gz"
    with pytest.raises(UsageError, match="'rar'; wanted one of: bz2, gz, lzma, xz"):
        orig(tmp_path, data, compression="rar")


def test_times_are_clamped(tmp_path: Path) -> None:
    items = [Item(name=f"a/{mtime}", mtime=mtime) for mtime in (-5, 0, 400_000_000, 2**35)]
    made = orig(tmp_path, tar(items))
    assert [(i.name, i.mtime) for i in listed(made) if i.isfile()] == [
        ("a/-5", 315532800),
        ("a/0", 315532800),
        ("a/34359738368", 2**32 - 1),
        ("a/400000000", 400_000_000),
    ]


def test_names_that_could_be_paths_are_refused(tmp_path: Path) -> None:
    for options in ({"source": "../x"}, {"version": "1/../../x"}, {"component": "../x"}):
        with pytest.raises(UsageError, match="wanted:"):
            orig(tmp_path, zip_of(), **options)


def test_hard_links_are_kept_whichever_comes_first(tmp_path: Path) -> None:
    items = [Item(name="a/z", data=b"x" * 700), hardlink("a/m", "a/z"), hardlink("a/b", "a/m")]
    made = orig(tmp_path, tar(items))
    assert [(i.name, i.type, i.linkname) for i in listed(made)[1:]] == [
        ("a/b", tarfile.REGTYPE, ""),
        ("a/m", tarfile.LNKTYPE, "a/b"),
        ("a/z", tarfile.LNKTYPE, "a/b"),
    ]
    made = orig(tmp_path, tar(items), excluded=["z"])
    subprocess.run(["tar", "-C", tmp_path, "-xf", made.path], check=True)
    assert (tmp_path / "a/m").read_bytes() == b"x" * 700


@pytest.mark.parametrize("data", [gz(tar())[:-9], zip_of([*GOOD, Item(name="../evil")])])
def test_a_refused_archive_leaves_nothing(tmp_path: Path, data: bytes) -> None:
    with pytest.raises(Hostile):
        orig(tmp_path, data)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == [tmp_path / "given"]


@pytest.mark.parametrize("excluded", [[], ["z.bin"]])
def test_a_zip_is_refused_for_a_damaged_member_also_where_that_is_left_out(
    tmp_path: Path, excluded: list[str]
) -> None:
    noise = random.Random(5).randbytes(600_000)
    data = bytearray(zip_of([*GOOD, Item(name="foo-2.0/z.bin", data=noise)], method=0))
    data[data.index(noise) + 500_000] ^= 1
    with pytest.raises(Hostile, match="CRC"):
        orig(tmp_path, bytes(data), excluded)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == [tmp_path / "given"]


@pytest.mark.parametrize("method", [0, 8, 12])
def test_a_zip_from_dos_keeps_its_scripts_runnable_and_its_contents_whole(
    tmp_path: Path, method: int
) -> None:
    long = b"#!/bin/sh\n" + random.Random(6).randbytes(700_000)
    items = [Item(name="a/z", data=long), Item(name="a/b", data=b"#"), Item(name="a/c", data=b"")]
    made = orig(tmp_path, zip_of(items, dos=True, method=method))
    with tarfile.open(made.path) as archive:
        modes = {info.name: oct(info.mode) for info in archive if info.isfile()}
        content = archive.extractfile("a/z")
        assert content is not None
        assert content.read() == long
    assert modes == {"a/b": "0o644", "a/c": "0o644", "a/z": "0o755"}


EXCLUSIONS: dict[str, tuple[list[str], list[str], list[str]]] = {
    "folder": (["src"], [], ["README", "a*b", "axb", "configure", "x", "x/y", "x/y/z.js"]),
    "slash": (["./src/"], [], ["README", "a*b", "axb", "configure", "x", "x/y", "x/y/z.js"]),
    "star crosses folders": (["*.js", "sr*"], [], ["README", "a*b", "axb", "configure"]),
    "escaped": (["a\\*b", "x", "src"], [], ["README", "axb", "configure"]),
    "one character": (["a?b", "x", "src"], [], ["README", "configure"]),
    "top named": (["foo-2.0/src", "foo-2.0/x"], [], ["README", "a*b", "axb", "configure"]),
    "included": (["x", "src", "a*"], ["x/*.js"], ["README", "configure", "x", "x/y", "x/y/z.js"]),
}  # fmt: skip


@pytest.mark.parametrize("prefix", ["foo-2.0/", "./foo-2.0/"])
@pytest.mark.parametrize("case", EXCLUSIONS)
def test_patterns_leave_out_what_they_say(tmp_path: Path, case: str, prefix: str) -> None:
    excluded, included, stays = EXCLUSIONS[case]
    items = [
        replace(item, name=prefix + item.name.partition("/")[2])
        for item in (*GOOD, Item(name="/a*b"), Item(name="/axb"), Item(name="/x/y/z.js"))
    ]
    made = orig(tmp_path, gz(tar(items)), excluded, included=included)
    assert [name.partition("/")[2] for name in names(made)][1:] == stays
    assert not made.untouched
    assert made.excluded
    assert not made.findings


def test_patterns_are_read_from_debian_copyright(tmp_path: Path) -> None:
    file = tmp_path / "copyright"
    file.write_text(
        f"{DEP5}Files-Excluded: a/b\n c\nFiles-Excluded-bar: d\nFiles-Included: a/b/x\n"
    )
    assert Exclusions.read(file) == Exclusions(excluded=("a/b", "c"), included=("a/b/x",))
    assert Exclusions.read(file, "bar").excluded == ("d",)
    assert Exclusions.read(tmp_path / "none") == Exclusions()
    file.write_text("Files-Excluded: a\n")
    with pytest.raises(SetupError, match="not the Format of DEP-5"):
        Exclusions.read(file)
    file.write_text(f"{DEP5}Files-Excluded: a\\b\n")
    with pytest.raises(SetupError, match="backslash before something else"):
        Exclusions.read(file)


def test_a_pattern_that_matches_nothing_is_told(tmp_path: Path) -> None:
    made = orig(tmp_path, gz(tar()), ["nowhere/*"])
    assert made.untouched
    assert ["nowhere/* matches nothing" in f.message for f in made.findings] == [True]


def test_excluding_everything_is_refused(tmp_path: Path) -> None:
    for pattern in ("*", "foo-2.0"):
        with pytest.raises(Held, match="leaves nothing of 5 members"):
            orig(tmp_path, gz(tar()), [pattern])


def test_a_greedy_pattern_takes_no_time(tmp_path: Path) -> None:
    hostile = [Item(name="a/" + "/".join(["a" * 200] * 9) + str(n)) for n in range(50)]
    assert orig(tmp_path, gz(tar(hostile)), ["*a" * 20 + "*b"]).untouched


def test_very_deep_trees_are_taken(tmp_path: Path) -> None:
    deep = "t" + "/d" * 1000
    items = [
        Item(name=f"{deep}/f", mtime=1_600_000_000),
        Item(name="t/x"),
        symlink(f"{deep}/l", "f"),
    ]
    made = orig(tmp_path, zip_of(items), ["x"])
    assert made.excluded == ("t/x",)
    assert len(names(made)) == 1003


PARTS = st.text(st.sampled_from("abcé-. "), min_size=1, max_size=5).filter(lambda s: s.strip("."))
TREES = st.dictionaries(
    st.lists(PARTS, min_size=1, max_size=3).map("/".join),
    st.tuples(st.binary(max_size=700), st.booleans(), st.integers(0, 2**32)),
    min_size=1,
    max_size=8,
)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(TREES, st.randoms(use_true_random=False), st.sampled_from(["", "gz", "zst"]))
def test_same_tree_same_bytes(tmp_path: Path, tree: Any, dice: Any, form: str) -> None:
    """Neither order nor the folders' own times, nor the given tar's layout, can show."""
    files = [
        Item(name=f"t/{path}", data=data, mode=0o755 if run else 0o600, mtime=mtime)
        for path, (data, run, mtime) in tree.items()
        if not any(other.startswith(f"{path}/") for other in tree)
    ]
    first = orig(tmp_path, tar([*files, folder("t")]))
    wanted = digest(first), first.epoch
    folders = {above for item in files for above in Path(item.name).parents if above.name}
    shuffled = [*files, *(folder(str(above), dice.randrange(2**31)) for above in folders)]
    dice.shuffle(shuffled)
    again = orig(tmp_path, COMPRESSORS[form](tar(shuffled, form=tarfile.GNU_FORMAT)), force=True)
    assert (digest(again), again.epoch) == wanted


def test_other_surroundings_same_bytes(tmp_path: Path) -> None:
    """Time zone, locale, umask, hash seed and the number of cores do not show."""
    given_zip = tmp_path / "given.zip"
    big = Item(name="foo-2.0/big", data=random.Random(3).randbytes(5_000_000) + bytes(5_000_000))
    given_zip.write_bytes(zip_of([*reversed(GOOD[1:]), big, Item(name="foo-2.0/ü")]))
    program = (
        "import os, sys; from pathlib import Path; from toolsync.config.settings import Limits\n"
        "from toolsync.unpack.orig import Exclusions, make_orig\n"
        "os.umask(int(sys.argv[3], 8))\n"
        "o = make_orig(Path(sys.argv[1]), source='foo', version='2.0', limits=Limits(),\n"
        "  exclusions=Exclusions(), folder=Path(sys.argv[2]))\n"
        "print(o.epoch, oct(o.path.stat().st_mode))\n"
    )
    seen = set()
    cores = sorted(os.sched_getaffinity(0))
    for number, (zone, locale, umask, used) in enumerate(
        [
            ("UTC", "C.UTF-8", "022", cores),
            ("Pacific/Kiritimati", "C", "077", cores[:1]),
            ("America/New_York", "POSIX", "000", cores[-1:]),
        ]
    ):
        out = tmp_path / str(number)
        pinned = ["taskset", "-c", ",".join(map(str, used))]
        done = subprocess.run(
            [*pinned, sys.executable, "-c", program, given_zip, out, umask],
            env={**os.environ, "TZ": zone, "LC_ALL": locale, "PYTHONHASHSEED": str(number)},
            check=True,
            capture_output=True,
            text=True,
        )
        made = (out / "foo_2.0.orig.tar.xz").read_bytes()
        seen.add((hashlib.sha256(made).hexdigest(), done.stdout))
    assert len(seen) == 1, seen
    assert "1700000000 0o100644" in seen.pop()[1]


@pytest.mark.parametrize("data", [gz(tar()), zip_of()])
def test_the_stage_puts_the_orig_into_the_store(tmp_path: Path, data: bytes) -> None:
    debian = tmp_path / "conf" / "foo-tools" / "debian"
    debian.mkdir(parents=True)
    (debian / "copyright").write_text(f"{DEP5}Files-Excluded: nowhere\n")
    tool = Tool(
        name="foo-tools", folder=debian.parent, summary="", homepage="", source="foo", series=(),
        watch=Watch(kind="html"), verify=Verify(), license=LicensePolicy(), compat=CompatPolicy(),
    )  # fmt: skip
    store = Store(tmp_path / "store")
    blob = store.add_bytes(data, "foo-v2.0")
    release = Release(
        tool="foo-tools", version="2.0", raw_version="v2.0", url="", filename="foo-v2.0", page=""
    )
    fetched = Fetched(release=release, archive=blob, final_url="")
    item = Verified(fetched=fetched, method="pins", statement="")
    workshop = Workshop(tmp_path / "state", tmp_path / "work")
    done = unpack(item, tool=tool, store=store, limits=Limits(), workshop=workshop)
    assert store.has(done.orig)
    assert done.untouched == (done.orig.sha256 == blob.sha256) == done.orig.name.endswith("gz")
    assert (done.members, done.epoch, len(done.findings)) == (5, 1_700_000_000, 1)
    assert not list(workshop.root.iterdir())
