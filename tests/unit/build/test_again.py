"""Second builds: what they vary, how their packages are compared, and in what words it is told."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import TypeAlias

import pytest

from tests.support.tiny_packages import EPOCH, Context
from toolsync.build.again import DIFFERENT, NOT_BUILT, REPRODUCED, First, build_again, findings_of
from toolsync.build.backend import Backend
from toolsync.build.difference import first_difference
from toolsync.build.host import HOST
from toolsync.build.job import Job, Made
from toolsync.build.sbuild import SBUILD
from toolsync.build.variation import ALL, CLOCK, PACKAGES, PATH, Variation, installed
from toolsync.journal.key import Key
from toolsync.journal.results import Result
from toolsync.model.errors import PackageFailed, ToolsyncError
from toolsync.model.release import Rebuilt
from toolsync.model.values import dump
from toolsync.pipeline.rebuilds import second_builds

Files: TypeAlias = Mapping[str, bytes]
CONTROL = "Package: tiny\nVersion: 1\nArchitecture: all\nMaintainer: A <a@localhost>\n"
CONTROL += "Description: tiny\n"
BUILDINFO = "Format: 1.0\nInstalled-Build-Depends:\n gcc-12 (= 12.2.0-14),\n make (= 4.3-4.1)\n"
SAME: Files = {"usr/bin/tiny": b"#!/bin/sh\necho 1\n"}


def deb(folder: Path, files: Files, *, mode: int = 0o644, packed: str = "-Zxz") -> Path:
    """Put a .deb together by dpkg-deb."""
    tree = folder / "root"
    (tree / "DEBIAN").mkdir(parents=True)
    (tree / "DEBIAN" / "control").write_text(CONTROL)
    for name, data in files.items():
        path = tree / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        path.chmod(mode)
    for path in (tree, *tree.rglob("*")):
        os.utime(path, (EPOCH, EPOCH))
    made = folder / "tiny_1_all.deb"
    words = ["dpkg-deb", "--root-owner-group", packed, "--build", str(tree), str(made)]
    env = {**os.environ, "SOURCE_DATE_EPOCH": str(EPOCH)}
    subprocess.run(words, check=True, capture_output=True, env=env)
    return made


def pair(root: Path, one: Files, other: Files, **options: str | int) -> tuple[Path, Path]:
    (root / "one").mkdir()
    (root / "other").mkdir()
    return deb(root / "one", one), deb(root / "other", other, **options)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("one", "other", "told"),
    [
        (b"a\nbuilt in /one\n", b"a\nbuilt in /two\n", "line 2: 'built in /one', in the second"),
        (b"a\n" + b"x" * 400 + b"1\n", b"a\n" + b"x" * 400 + b"2\n", "xxx1', in the second build"),
        (b"same\0one", b"same\0two", "differs at byte 5"),
        (b"same\n", b"same\nmore\n", "line 2: '', in the second build 'more'"),
        (b"\x1b[2Jone\n", b"\x1b[2Jtwo\n", r"'\x1b[2Jone'"),
        (b"z" * 2_000_000 + b"1", b"z" * 2_000_000 + b"2", "differs at byte 2000000"),
    ],
    ids=["line", "long line", "byte", "more", "control", "large"],
)
def test_the_first_line_or_byte_that_differs_is_named(
    tmp_path: Path, one: bytes, other: bytes, told: str
) -> None:
    debs = pair(tmp_path, {"usr/share/built": one}, {"usr/share/built": other}, packed="-Znone")
    said = first_difference(*debs, tmp_path)
    assert said.startswith("data.tar: './usr/share/built' differs ")
    assert told in said
    assert len(said) < 400
    assert sorted(path.name for path in tmp_path.iterdir()) == ["one", "other"]


def test_members_modes_and_packing_are_named_too(tmp_path: Path) -> None:
    for name, other, options, told in (
        ("none", SAME, {}, ""),
        ("mode", SAME, {"mode": 0o664}, "data.tar: './usr/bin/tiny' has the mode 0644, in the"),
        ("more", {**SAME, "usr/x": b""}, {}, "data.tar: './usr/x' is in the second build alone"),
        ("packing", SAME, {"packed": "-Zgzip"}, "the same members, packed in another way"),
        ("control", {**SAME, "DEBIAN/md5sums": b"\n"}, {}, "control.tar: './md5sums' is in the"),
    ):
        (tmp_path / name).mkdir()
        said = first_difference(*pair(tmp_path / name, SAME, other, **options), tmp_path)
        assert said.startswith(told) if told else said == ""


def test_what_is_no_package_is_told_and_stops_nothing(tmp_path: Path) -> None:
    one, other = pair(tmp_path, SAME, SAME)
    other.write_bytes(b"!<arch>\nno package\n")
    assert "cannot be told where: dpkg-deb ended with status" in first_difference(
        one, other, tmp_path
    )


def test_rules_are_run_by_words_without_a_space() -> None:
    """dpkg-buildpackage parts them at spaces, and names no shell (``--rules-file``)."""
    words = Variation().rules.split(" ")
    assert words[:2] == ["env", "TZ=LINT-14"]
    assert words[-3:] == ["perl", "-eumask(02);exec(@ARGV)", "debian/rules"]
    ran = subprocess.run(
        [*words[:2], *words[-3:-1], "sh", "-c", "umask; date +%z"], capture_output=True, text=True
    )
    assert ran.stdout.split() == ["0002", "+1400"]
    assert "faketime" not in Variation().only(ALL - {CLOCK}).rules
    assert Variation().only(()).rules == "env debian/rules"


def test_versions_come_from_the_buildinfo_and_nothing_else_does() -> None:
    told = BUILDINFO + " evil' => system('x') (= 1),\n -o (= 2),\n libc6:amd64 (= 2.36-9)\n"
    told = told.replace("4.3-4.1)", "4.3-4.1),")
    assert installed(told) == {"gcc-12": "12.2.0-14", "make": "4.3-4.1", "libc6:amd64": "2.36-9"}
    assert installed("") == {}


Act: TypeAlias = Callable[[Job], Files]


def again(root: Path, act: Act, heeds: Collection[str] = ALL) -> Rebuilt:
    """Build a second time with a backend that puts the files of ``act`` together."""

    def build(job: Job) -> Made:
        made = deb(job.folder, act(job))
        changes = made.with_suffix(".changes")
        changes.write_text(f"Files:\n {'0' * 32} 1 utils optional {made.name}\n")
        (job.folder / "tiny.buildinfo").write_text(BUILDINFO)
        job.log.write_text("built\n")
        return Made(changes=changes, builder="a test's", tarball=None)

    context = Context(root / "context")
    folder = root / "build" / "made"
    folder.mkdir(parents=True)
    dsc = context.store.add_bytes(b"", "tiny.dsc")
    job = Job(
        dsc=folder / "tiny.dsc",
        folder=folder,
        series="bookworm",
        log=root / "build.log",
        seconds=60,
        chroots=context.chroots,
    )
    backend = Backend(name="tests", about="a test", build=build, varies=lambda: heeds)
    build(job)
    first = First(
        sources=(dsc,),
        debs=[folder / "tiny_1_all.deb"],
        buildinfo=folder / "tiny.buildinfo",
        job=job,
        backend=backend,
    )
    return build_again(first, context.store)


def test_the_same_bytes_are_reproduced_and_the_log_tells_of_both(tmp_path: Path) -> None:
    jobs: list[Job] = []
    (tmp_path / "context").mkdir()
    found = again(tmp_path, lambda job: jobs.append(job) or SAME)  # type: ignore[func-returns-value]
    assert found.verdict == REPRODUCED
    assert found.statement == (
        "reproduced: a second build (path …/of-another-length, umask 0002, time zone LINT-14,"
        " clock 400 days ahead) gave the same bytes of 1 package"
    )
    assert (found.notes, findings_of(found)) == ((), ())
    assert jobs[0].varied is None
    assert jobs[1].varied is not None
    assert jobs[1].varied.packages == ("gcc-12 (= 12.2.0-14)", "make (= 4.3-4.1)")
    log = (tmp_path / "build.log").read_text()
    assert log.startswith("built\n\n==== second build, path …/of-another-length")
    assert log.endswith("built\n")


def test_what_differs_is_a_finding_that_stops_nothing(tmp_path: Path) -> None:
    (tmp_path / "context").mkdir()
    found = again(tmp_path, lambda job: {"usr/x": b"again\n" if job.varied else b"first\n"})
    assert found.verdict == DIFFERENT
    (finding,) = findings_of(found)
    assert (finding.code, finding.severity) == ("not-reproduced", "risky")
    assert finding.message == (
        "not reproduced: tiny_1_all.deb differs in data.tar: './usr/x' differs in line 1: 'first',"
        " in the second build 'again'"
    )


@pytest.mark.parametrize(("status", "kept"), [(1, True), (2, False)])
def test_the_report_of_diffoscope_is_kept_where_it_gives_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, status: int, kept: bool
) -> None:
    """It ends with 1 where it finds a difference, and with 2 in trouble (diffoscope(1))."""
    (tmp_path / "bin").mkdir()
    program = tmp_path / "bin" / "diffoscope"
    program.write_text(f'#!/bin/sh\necho "${{6##*/}} and $7" >"$2"\nexit {status}\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
    (tmp_path / "context").mkdir()
    found = again(tmp_path, lambda job: {"usr/x": b"again\n" if job.varied else b"first\n"})
    assert found.verdict == DIFFERENT
    assert (found.report is not None) == kept
    if found.report:
        text = Context(tmp_path / "context").store.path(found.report).read_text()
        assert text == f"tiny_1_all.deb and {tmp_path}/build/again-0/tiny_1_all.deb\n"


def test_a_build_that_bears_no_other_clock_is_tried_without(tmp_path: Path) -> None:
    def act(job: Job) -> Files:
        if job.varied and job.varied.days:
            raise PackageFailed("the build hung:\nmore lines")
        return SAME

    (tmp_path / "context").mkdir()
    found = again(tmp_path, act)
    assert found.verdict == REPRODUCED
    assert found.notes == ("the clock was not varied: with more varied, the build hung",)
    assert "clock" not in found.statement


def test_versions_that_are_gone_are_done_without_and_told(tmp_path: Path) -> None:
    def act(job: Job) -> Files:
        if job.varied and job.varied.packages:
            raise PackageFailed("gcc-12 (= 12.2.0-14) is not installable")
        return SAME

    (tmp_path / "context").mkdir()
    found = again(tmp_path, act)
    assert found.verdict == REPRODUCED
    assert found.notes[1].startswith("the versions of the .buildinfo were not asked for: with more")


def test_what_cannot_be_built_again_says_why(tmp_path: Path) -> None:
    tried: list[Variation] = []

    def act(job: Job) -> Files:
        if job.varied:
            tried.append(job.varied)
            raise ToolsyncError("no way")
        return SAME

    (tmp_path / "context").mkdir()
    found = again(tmp_path, act)
    assert (found.verdict, found.statement) == (NOT_BUILT, "it could not be built again: no way")
    assert [finding.code for finding in findings_of(found)] == ["not-built-again"]
    assert [(bool(one.days), bool(one.packages)) for one in tried] == [
        (True, True),
        (False, True),
        (False, False),
    ]


def test_only_what_a_backend_heeds_is_claimed_to_vary(tmp_path: Path) -> None:
    (tmp_path / "context").mkdir()
    found = again(tmp_path, lambda job: SAME, heeds={PATH})
    assert found.varied == ("path …/of-another-length",)
    assert found.notes == ("the clock was not varied",)
    assert set(SBUILD.varies()) == ALL
    assert PACKAGES not in HOST.varies()


def test_why_tells_of_the_newest_packaging_of_each_series() -> None:
    def result(scope: str, statement: str, version: str = "1.0") -> Result:
        rebuilt = Rebuilt(verdict=REPRODUCED, statement=statement)
        key = Key(tool="tiny", version=version, stage="build", scope=scope)
        data = {"rebuilt": dump(rebuilt)} if statement else {}
        words = dict.fromkeys(
            ("inputs", "message", "resolution", "kind", "started", "finished"), ""
        )
        return Result(key=key, outcome="done", data=data, **words)

    results = [
        result("bookworm/1", "old"),
        result("bookworm/2", "reproduced: yes"),
        result("trixie/1", "not reproduced: no"),
        result("noble/1", ""),
        result("bookworm/9", "of another", version="1.1"),
    ]
    assert second_builds(results, "1.0") == (
        "1.0 for bookworm was built twice, reproduced: yes.",
        "1.0 for trixie was built twice, not reproduced: no.",
    )
