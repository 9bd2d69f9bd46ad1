"""Whose fault a failure is: only the package's own is remembered against it."""

from __future__ import annotations

import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.servers.web import Web
from tests.support.rig import Rig, environment
from tests.support.tiny import publish, write_tool
from tests.support.tiny_packages import CONTROL, Context
from toolsync.build import autopkgtest, sbuild
from toolsync.build.autopkgtest import Ran
from toolsync.build.chroot import Chroots
from toolsync.build.job import Job
from toolsync.build.relations import build_relations, unmet
from toolsync.build.stage import build
from toolsync.config.settings import Build
from toolsync.model.errors import (
    OutOfSpace,
    PackageFailed,
    ProgramMissing,
    SetupError,
    ToolsyncError,
    TryAgain,
    Unreachable,
)
from toolsync.system.clock import SystemClock

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
SAYS = (
    "cp: error writing 'x': No space left on device\nE: Failed to fetch http://m.invalid/x  404\n"
    "Temporary failure resolving 'm.invalid'\nunshare: unshare failed: Operation not permitted\n"
    "Unmet build dependencies: none\ntimed out\nbadpkg\nKilled\nOut of memory\n"
    "Hash Sum mismatch\nSome index files failed to download\nConnection timed out\n"
)
"""What a package may print so that the world is blamed for its own fault."""


@pytest.fixture
def job(tmp_path: Path, web: Web) -> Job:
    """A job whose mirror is there, and has an index."""
    web.serve("/debian/dists/bookworm/InRelease", b"x")
    return job_at(tmp_path, f"{web.url}/debian")


def job_at(folder: Path, mirror: str) -> Job:
    workshop = Context(folder).workshop
    return Job(
        dsc=folder / "tiny_1.dsc",
        folder=folder,
        series="bookworm",
        log=folder / "log",
        seconds=60,
        chroots=Chroots(folder / "chroots", mirror=mirror, workshop=workshop, clock=SystemClock()),
    )


@pytest.mark.parametrize(
    ("stage", "text", "kind"),
    [
        ("build", "make: *** [debian/rules:4: build] Error 1\n", PackageFailed),
        ("build", SAYS, PackageFailed),
        ("unpack", SAYS, PackageFailed),
        ("check-space", "Source needs 100 KiB, while 7 KiB is free.)\n", OutOfSpace),
        ("install-deps", LACKING, PackageFailed),
        ("install-deps", TOO_OLD, PackageFailed),
        ("install-deps", MOVING, TryAgain),
        ("install-deps", BROKEN_CHROOT, TryAgain),
        ("apt-get-dist-upgrade", BROKEN_CHROOT, TryAgain),
        ("unpack", "dpkg-source: error: cannot unpack\n", PackageFailed),
        ("create-session", "E: Chroot setup failed\n", SetupError),
        ("create-session", "tar: ./usr/x: No space left on device\n", SetupError),
        ("create-build-dir", "E: mkdir failed\n", TryAgain),
    ],
)
def test_a_failed_build_is_laid_at_the_right_door(
    job: Job, stage: str, text: str, kind: type[ToolsyncError]
) -> None:
    error = sbuild.trouble(job, stage, text, full=None)
    assert type(error) is kind, error
    assert error.resolution


def test_a_machine_without_ip_is_told_so_before_anything_is_made(
    job: Job, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Debian 13's sbuild dies without it at its stage build, as if the package had failed."""
    (programs := tmp_path / "programs").mkdir()
    monkeypatch.setenv("PATH", str(programs))
    with pytest.raises(ProgramMissing, match="the program ip is not on this machine") as caught:
        sbuild.build_with_sbuild(job)
    assert "apt install iproute2" in caught.value.resolution
    assert not (tmp_path / "chroots").exists()


@pytest.mark.parametrize("stage", ["build", "create-session", "install-deps", "unpack"])
def test_a_disk_that_was_full_is_to_blame_whatever_the_log_says(job: Job, stage: str) -> None:
    error = sbuild.trouble(job, stage, "make: *** Error 1\n", full=job.folder)
    assert isinstance(error, OutOfSpace)
    assert str(job.folder) in str(error)


@pytest.mark.parametrize("stage", ["apt-get-update", "install-deps", "apt-get-dist-upgrade"])
def test_a_mirror_is_asked_whether_it_is_there(job: Job, tmp_path: Path, stage: str) -> None:
    assert type(sbuild.trouble(job, stage, SAYS, full=None)) is TryAgain
    away = job_at(tmp_path, "http://127.0.0.1:9/debian")
    assert type(sbuild.trouble(away, stage, "E: odd\n", full=None)) is Unreachable


def ran(code: int, summary: str, text: str = SAYS, **more: Any) -> Ran:
    return Ran(code=code, text=text, summary=summary, **more)


FAILED = "command1             FAIL non-zero exit status 1\n"


@pytest.mark.parametrize(
    ("what", "kind"),
    [
        (ran(4, FAILED), PackageFailed),
        (ran(4, "command1             FAIL timed out\n"), TryAgain),
        (ran(4, "command1             FAIL stderr: timed out\n"), PackageFailed),
        (ran(4, "a   FAIL timed out\nb   FAIL stderr: x\n"), PackageFailed),
        (ran(4, FAILED, f"{SAYS}@@@@ summary\ncommand1 FAIL timed out\n"), PackageFailed),
        (ran(4, FAILED, full=Path("/full")), OutOfSpace),
        (ran(12, ""), PackageFailed),
        (ran(12, "", missed=("m.invalid",)), Unreachable),
        (ran(16, ""), TryAgain),
        (ran(20, ""), TryAgain),
    ],
)
def test_failed_tests_are_laid_at_the_right_door(what: Ran, kind: type[ToolsyncError]) -> None:
    error = autopkgtest.trouble(what, "the tests of tiny")
    assert type(error) is kind, error
    assert error.resolution


def host_build(context: Context, rules: str, **settings: Any) -> None:
    build(
        context.source(rules=rules),
        settings=Build(backend="host", lint=False, **settings),
        store=context.store,
        workshop=context.workshop,
        chroots=context.chroots,
    )


def test_a_makefile_that_speaks_of_full_disks_and_mirrors_is_itself_to_blame(
    tmp_path: Path,
) -> None:
    """Each line of SAYS once had the same release built again and again for ever."""
    said = "; ".join(f'echo "{line}"' for line in SAYS.splitlines())
    rules = f"override_dh_auto_build:\n\t{said}; cp debian/control /dev/full\n"
    with pytest.raises(PackageFailed, match="No space left on device"):
        host_build(Context(tmp_path), rules)


def test_a_disk_that_is_really_full_is_the_worlds_fault_though_it_was_cleared(
    tmp_path: Path,
) -> None:
    """In a namespace of its own, on a disk of 64 MB that the build fills and gives back."""
    code = (
        "from pathlib import Path\nfrom tests.unit.build.test_blame import *\n"
        "rules = 'override_dh_auto_build:\\n\\tcat /dev/zero >big; sleep 1; rm big; false\\n'\n"
        f"try:\n    host_build(Context(Path({str(tmp_path)!r})), rules)\n"
        "except OutOfSpace as error:\n    print('full:', error)\n"
    )
    script = f'mount -t tmpfs -o size=64m none {tmp_path} && exec {sys.executable} -c "$CODE"'
    done = subprocess.run(
        ["unshare", "--map-root-user", "--mount", "sh", "-c", script],
        env=environment() | {"CODE": code},
        capture_output=True,
        text=True,
    )
    assert done.stdout.startswith("full: "), done.stdout + done.stderr


@pytest.mark.parametrize(
    ("command", "settings", "match"),
    [
        (
            "sh -c 'x=x; while :; do x=$$x$$x; done'",
            {"memory": 256 << 20},
            "bytes of memory|Segmentation fault|Error",
        ),
        ("sh -c 'for i in `seq 200`; do sleep 60 & done; wait'", {"processes": 100}, "processes"),
        ("head -c 20000000 /dev/zero >big", {"file_size": 10_000_000}, "File size|Error 153"),
    ],
)
def test_a_build_that_uses_too_much_is_stopped_and_to_blame(
    tmp_path: Path, command: str, settings: dict[str, int], match: str
) -> None:
    began = time.monotonic()
    with pytest.raises(PackageFailed, match=match):
        host_build(Context(tmp_path), f"override_dh_auto_build:\n\t{command}\n", **settings)
    assert time.monotonic() - began < 40


def test_what_this_machine_lacks_is_asked_before_the_package_can_speak(tmp_path: Path) -> None:
    context = Context(tmp_path)
    control = CONTROL.format(name="tiny-tool", section="utils").replace(
        "debhelper-compat (= 13)", "debhelper-compat (= 13), no-such-package"
    )
    with pytest.raises(SetupError, match="no-such-package"):
        build(
            context.source(files={"control": control}),
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


def test_what_a_series_lacks_is_named_with_what_there_is(job: Job) -> None:
    groups = build_relations({"Build-Depends": "debhelper-compat (= 14)"}, "amd64")
    lacks = tuple(unmet(groups, {"debhelper-compat": ["13"]}))
    error = sbuild.trouble(replace(job, lacks=lambda: lacks), "install-deps", LACKING, full=None)
    assert str(error).endswith(
        "(sbuild's stage install-deps): the series does not have what it is built with:\n"
        "debhelper-compat (= 14): there is debhelper-compat 13"
    )
