"""Whose fault a failure is: only the package's own is remembered against it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.servers.web import Web
from tests.support.rig import Rig
from tests.support.tiny import publish, write_tool
from tests.support.tiny_packages import Context
from toolsync.build import autopkgtest, sbuild
from toolsync.build.job import Job
from toolsync.build.stage import build
from toolsync.config.settings import Build
from toolsync.model.errors import (
    OutOfSpace,
    PackageFailed,
    SetupError,
    ToolsyncError,
    TryAgain,
    Unreachable,
)

LACKING = """\
The following packages have unmet dependencies:
 sbuild-build-depends-main-dummy : Depends: debhelper-compat (= 13)
                                   Depends: no-such-package-at-all but it is not installable
E: Unable to correct problems, you have held broken packages.
"""
TOO_OLD = """\
 sbuild-build-depends-main-dummy : Depends: debhelper (>= 99) but 13.11.4 is to be installed
E: Unable to correct problems, you have held broken packages.
"""
MOVING = """\
The following packages have unmet dependencies:
 libfoo-dev : Depends: libfoo1 (= 1.2-3) but 1.2-2 is to be installed
 sbuild-build-depends-main-dummy : Depends: libfoo-dev but it is not going to be installed
E: Unable to correct problems, you have held broken packages.
"""
BROKEN_CHROOT = """\
dpkg: error processing package tzdata (--configure):
 installed tzdata package post-installation script subprocess returned error exit status 1
E: Sub-process /usr/bin/dpkg returned an error code (1)
"""
FULL = "cp: error writing 'x': No space left on device\nmake: *** [debian/rules:4: build] Error 1\n"


@pytest.fixture
def job(tmp_path: Path) -> Job:
    return Job(
        dsc=tmp_path / "tiny_1.dsc",
        folder=tmp_path,
        series="bookworm",
        log=tmp_path / "log",
        seconds=60,
        chroots=Context(tmp_path).chroots,
    )


@pytest.mark.parametrize(
    ("stage", "text", "kind"),
    [
        ("build", "make: *** [debian/rules:4: build] Error 1\n", PackageFailed),
        ("build", "connect: Network is unreachable\n", PackageFailed),
        ("build", "chown: changing ownership of 'x': Operation not permitted\n", PackageFailed),
        ("build", FULL, OutOfSpace),
        ("check-space", "Source needs 100 KiB, while 7 KiB is free.)\n", OutOfSpace),
        ("install-deps", LACKING, PackageFailed),
        ("install-deps", TOO_OLD, PackageFailed),
        ("install-deps", MOVING, TryAgain),
        ("install-deps", BROKEN_CHROOT, TryAgain),
        ("install-deps", "E: Failed to fetch http://m.invalid/x  404\n", Unreachable),
        ("apt-get-update", "E: Release file for x is not valid yet\n", Unreachable),
        (
            "apt-get-update",
            "File has unexpected size (1 != 2). Mirror sync in progress?\n",
            TryAgain,
        ),
        ("apt-get-dist-upgrade", BROKEN_CHROOT, TryAgain),
        ("unpack", "dpkg-source: error: cannot unpack\n", PackageFailed),
        ("create-session", "E: Chroot setup failed\n", SetupError),
        ("create-session", "unshare: unshare failed: No space left on device\n", SetupError),
        ("create-session", "tar: ./usr/x: No space left on device\n", OutOfSpace),
        ("create-build-dir", "E: mkdir failed\n", TryAgain),
    ],
)
def test_a_failed_build_is_laid_at_the_right_door(
    job: Job, stage: str, text: str, kind: type[ToolsyncError]
) -> None:
    error = sbuild.trouble(job, stage, text)
    assert isinstance(error, kind), error
    assert isinstance(error, PackageFailed) is (kind is PackageFailed)
    assert error.resolution


SUMMARY = "autopkgtest [07:55:04]: @@@@@@@@@@@@@@@@@@@@ summary\n"


@pytest.mark.parametrize(
    ("code", "text", "kind"),
    [
        (4, SUMMARY + "command1             FAIL non-zero exit status 1\n", PackageFailed),
        (4, SUMMARY + "command1             FAIL timed out\n", TryAgain),
        (4, SUMMARY + "a   FAIL timed out\nb   FAIL stderr: x\n", PackageFailed),
        (4, "cp: No space left on device\n" + SUMMARY + "command1    FAIL\n", OutOfSpace),
        (12, "E: Failed to fetch http://m.invalid/x\n", Unreachable),
        (12, "blame: tiny\nbadpkg: no such test\n", PackageFailed),
        (16, "testbed failure\n", TryAgain),
        (20, "unexpected error\n", TryAgain),
    ],
)
def test_failed_tests_are_laid_at_the_right_door(
    job: Job, code: int, text: str, kind: type[ToolsyncError]
) -> None:
    error = autopkgtest.trouble(job, code, "the tests of tiny", text)
    assert isinstance(error, kind), error
    assert isinstance(error, PackageFailed) is (kind is PackageFailed)
    assert error.resolution


def test_a_build_that_meets_a_full_disk_is_not_the_packages_fault(tmp_path: Path) -> None:
    context = Context(tmp_path)
    rules = "override_dh_auto_build:\n\tcp debian/control /dev/full\n"
    with pytest.raises(OutOfSpace, match="No space left on device"):
        build(
            context.source(rules=rules),
            settings=Build(backend="host", lint=False),
            store=context.store,
            workshop=context.workshop,
            chroots=context.chroots,
        )


def test_the_log_of_a_failed_build_is_kept_and_a_person_can_ask_again(rig: Rig, web: Web) -> None:
    publish(web, "1.0")
    folder = write_tool(rig.tools, web.url + "/dl/", "1.0")
    ready = rig.root / "ready"
    rules = f"#!/usr/bin/make -f\n%:\n\tdh $@\noverride_dh_auto_test:\n\tcat {ready}\n"
    (folder / "debian" / "rules").write_text(rules)
    done = rig.run("sync", "hello", status=3)
    assert f"cat: {ready}: No such file" in done.stdout
    told = rig.json("evidence", "hello", "1.0")["predicate"]["series"]["bookworm"]["build"]
    assert told["outcome"] == "held"
    log = Path(told["log"]["path"]).read_text()
    assert "dpkg-buildpackage: info: source package hello" in log
    assert len(log.encode()) == told["log"]["size"]
    assert told["log"]["path"] in rig.run("evidence", "hello", "1.0").stdout

    ready.touch()
    again = rig.run("sync", "hello", status=3)
    assert "build [bookworm" not in again.stderr  # remembered: nothing was built
    assert "did not build" in again.stdout
    more = rig.run("sync", "--retry", "hello")
    assert "build [bookworm" in more.stderr
    assert rig.run("sync", "--retry", "hello").stderr == ""  # what succeeded is not done again
