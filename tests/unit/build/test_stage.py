"""Building on this machine: real dpkg-buildpackage and lintian over tiny packages."""

from __future__ import annotations

import os
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from debian.deb822 import Changes

from tests.support.tiny_packages import Context, passed
from toolsync.build.autopkgtest import VERDICTS
from toolsync.build.backends import BACKENDS
from toolsync.build.chroot import Chroots
from toolsync.build.job import decisive_lines
from toolsync.build.lint import UPSTREAMS_OWN, lint
from toolsync.build.stage import build
from toolsync.config.settings import Build
from toolsync.model.errors import PackageFailed, SetupError, TryAgain, Unreachable
from toolsync.model.release import Built, SourcePackage
from toolsync.system.clock import SystemClock

HOST = Build(backend="host", lint=False)
LINTED = Build(backend="host")


@pytest.fixture
def context(tmp_path: Path) -> Context:
    return Context(tmp_path)


def made(context: Context, source: SourcePackage, settings: Build = HOST) -> Built:
    """Build, and see that nothing is left in the workshop, whatever comes of it."""
    try:
        return build(
            source,
            settings=settings,
            store=context.store,
            workshop=context.workshop,
            chroots=context.chroots,
        )
    finally:
        assert list(context.workshop.root.glob("*")) == []


def test_source_and_binaries_are_in_one_changes(context: Context) -> None:
    source = context.source()
    built = made(context, source)
    changes = Changes(context.store.path(built.changes).read_text())
    assert changes["Architecture"] == "source all"
    assert changes["Distribution"] == "bookworm"
    assert {e["name"]: e["sha256"] for e in changes["Checksums-Sha256"]} == {
        blob.name: blob.sha256 for blob in built.files
    }
    assert set(source.files) <= set(built.files)
    assert [deb.name for deb in built.debs] == [f"tiny-tool_{source.version}_all.deb"]
    assert any(".orig.tar" in blob.name for blob in built.files)


def test_the_backend_and_the_missing_tests_are_named(context: Context) -> None:
    built = made(context, context.source())
    assert built.builder.startswith("host")
    assert built.tests.startswith("not run")
    unwanted = made(context, context.source(), replace(HOST, tests=False))
    assert "tests is false" in unwanted.tests


def test_the_log_keeps_the_build_and_its_buildinfo(context: Context) -> None:
    built = made(context, context.source())
    log = context.store.path(built.log).read_text()
    assert "dh_builddeb" in log
    assert "Installed-Build-Depends" in log
    assert built.log.name.endswith(".build")
    assert built.buildinfo is not None
    assert built.buildinfo.name.startswith("tiny-tool_")
    told = context.store.path(built.buildinfo).read_text()
    assert "Installed-Build-Depends" in told
    assert told in log


def test_twice_the_same_bytes(context: Context) -> None:
    source = context.source()
    first, second = made(context, source), made(context, source)
    assert (first.changes, first.files) == (second.changes, second.files)


def test_what_is_built_can_be_published_and_confirmed(context: Context) -> None:
    target = context.archive()
    confirmed = target.confirm(target.publish(passed(made(context, context.source()))))
    assert any(blob.name.endswith(".deb") for blob in confirmed.served)


def test_a_failing_build_tells_its_decisive_lines(context: Context) -> None:
    rules = "override_dh_auto_build:\n\tcp /nonexistent/thing .\n"
    with pytest.raises(PackageFailed, match="cannot stat '/nonexistent/thing'") as caught:
        made(context, context.source(rules=rules))
    assert len(str(caught.value).splitlines()) < 20
    assert caught.value.resolution
    assert caught.value.log is not None
    log = context.store.path(caught.value.log).read_text()
    assert (
        "dpkg-buildpackage: info: source package" in log
    )  # the whole of it, and not its end alone
    assert "cannot stat '/nonexistent/thing'" in log


SMUGGLED = r"""
override_dh_builddeb:
	dh_builddeb
	mkdir -p extra/DEBIAN
	printf 'Package: {name}\nVersion: 99:9\nArchitecture: all\nMaintainer: a <a@b.example>\n'\
	'Source: tiny-tool ($(shell dpkg-parsechangelog -SVersion))\nDescription: none\n' \
	>extra/DEBIAN/control
	dpkg-deb --root-owner-group -b extra ../{name}_9_all.deb
	dpkg-distaddfile {name}_9_all.deb admin optional
"""


@pytest.mark.parametrize("name", ["openssl", "tiny-toolx", "tiny"])
def test_a_build_makes_no_package_that_its_source_does_not_name(
    context: Context, name: str
) -> None:
    rules = SMUGGLED.replace("{name}", name)
    with pytest.raises(PackageFailed, match=f"made {name}_9_all.deb, which holds {name}"):
        made(context, context.source(rules=rules))


def test_a_build_that_never_ends_is_stopped(context: Context) -> None:
    rules = "override_dh_auto_build:\n\tsleep 600\n"
    with pytest.raises(TryAgain, match="limit") as caught:
        made(context, context.source(rules=rules), replace(HOST, seconds=4))
    assert "[build] seconds" in caught.value.resolution


def test_missing_build_dependencies_are_the_machines_fault(context: Context) -> None:
    control = (
        "Source: tiny-tool\nMaintainer: A <a@localhost>\n"
        "Build-Depends: debhelper-compat (= 13), no-such-package-at-all\n\n"
        "Package: tiny-tool\nArchitecture: all\nDescription: x\n y\n"
    )
    with pytest.raises(SetupError, match="no-such-package-at-all") as caught:
        made(context, context.source(files={"control": control}))
    assert "sbuild" in caught.value.resolution


@pytest.mark.parametrize("series", ["bookworm", "noble"])
def test_lintian_is_content_with_a_clean_package(context: Context, series: str) -> None:
    built = made(context, context.source(series=series), LINTED)
    assert built.findings == ()
    assert "==== lintian" in context.store.path(built.log).read_text()


def test_a_lintian_error_fails_the_package(context: Context) -> None:
    rules = "execute_after_dh_install:\n\tmkdir -p debian/tiny-tool/srv/tiny\n" + (
        "\tcp tiny-tool debian/tiny-tool/srv/tiny/\n"
    )
    with pytest.raises(PackageFailed, match="E: tiny-tool: dir-or-file-in-srv"):
        made(context, context.source(rules=rules), LINTED)


def test_a_source_with_an_error_is_not_built(context: Context) -> None:
    source = context.source(files={"x.min.js": "var a;" * 200})
    with pytest.raises(PackageFailed, match="E: tiny-tool source: source-is-missing") as caught:
        made(context, source, LINTED)
    assert caught.value.log is not None
    log = context.store.path(caught.value.log).read_text()
    assert "==== lintian tiny-tool_" in log
    assert "dh build" not in log


def test_what_lintian_finds_in_upstreams_files_that_main_has_holds_nothing(
    context: Context,
) -> None:
    good = "shall be used for Good,"  # in two parts, so that lintian finds nothing in this file
    evil = f"# The Software {good} not Evil.\n"
    source = context.source(payload=evil, files={"x.min.js": "var a;" * 200})
    with context.workshop.folder("lint") as folder:
        files = [context.store.copy_to(blob, folder) for blob in source.files]
        dsc = next(path for path in files if path.suffix == ".dsc")
        known = (UPSTREAMS_OWN, "other source: tag")
        with pytest.raises(PackageFailed, match="lintian finds 1 errors") as caught:
            lint([dsc], distribution="debian", folder=folder, log=folder / "log", known=known)
        assert "license-problem-json-evil" in (folder / "log").read_text()
    assert "source-is-missing [debian/x.min.js]" in str(caught.value)


def test_a_lintian_warning_is_a_finding(context: Context) -> None:
    built = made(context, context.source(files={"tiny-tool.manpages": ""}), LINTED)
    assert [finding.code for finding in built.findings] == ["lintian:no-manual-page"]


def test_an_override_for_a_file_that_this_release_lacks_is_no_finding(context: Context) -> None:
    overrides = "".join(
        f"tiny-tool source: source-is-missing [{place}]\n" for place in ("debian/x.min.js", "old/*")
    )
    files = {"x.min.js": "var a;" * 200, "source/lintian-overrides": overrides}
    assert made(context, context.source(files=files), LINTED).findings == ()


def test_an_unknown_backend_is_a_fault_of_the_set_up(context: Context) -> None:
    with pytest.raises(SetupError, match="elsewhere") as caught:
        made(context, context.source(), Build(backend="elsewhere"))
    assert all(name in str(caught.value) for name in BACKENDS)


def test_decisive_lines_are_the_complaints_not_the_talk() -> None:
    log = "dh build\n   dh_auto_build\ngcc: error: x.c: No such file\nmake: *** [x] Error 1\nbye\n"
    assert decisive_lines(log) == "gcc: error: x.c: No such file\nmake: *** [x] Error 1"
    assert decisive_lines("one\ntwo\n") == "one\ntwo"


def test_a_traceback_is_told_by_what_was_raised() -> None:
    frames = (
        'Traceback (most recent call last):\n  File "codecs.py", line 3, in read\n    find(name)\n'
        "    ~~~~^^^^^^\nLookupError: unknown encoding: idna2008\n"
    )
    log = f"ERROR: testReader\n{frames}\nERROR: testWriter\n{frames}FAILED (errors=2)\n"
    assert decisive_lines(log) == (
        "ERROR: testReader\nLookupError: unknown encoding: idna2008\nERROR: testWriter\n"
        "FAILED (errors=2)"
    )


def test_every_status_of_autopkgtest_has_its_consequence() -> None:
    assert {code for code, verdict in VERDICTS.items() if verdict.passes} == {0, 2, 8}
    assert not {16, 20} & set(VERDICTS)


class At(SystemClock):
    """A clock that is ``ahead`` of the machine's."""

    def __init__(self, ahead: timedelta) -> None:
        self._ahead = ahead

    def now(self) -> datetime:
        return datetime.now(UTC) + self._ahead


def chroots(context: Context, ahead: timedelta = timedelta(0)) -> tuple[Chroots, list[str]]:
    told: list[str] = []
    dead = "http://127.0.0.1:9/debian"
    folder = context.root / "chroots"
    made = Chroots(
        folder, mirror=dead, days=14, workshop=context.workshop, clock=At(ahead), told=told.append
    )
    return made, told


@pytest.fixture
def open_bench(context: Context) -> Context:
    """A context whose folder mapped users can reach."""
    for parent in (context.root, *context.root.parents):
        if os.stat(parent).st_uid == os.geteuid() and parent != Path("/"):
            parent.chmod(os.stat(parent).st_mode | 0o055)
    return context


def test_a_mirror_that_is_down_is_unreachable_and_leaves_nothing(open_bench: Context) -> None:
    made, told = chroots(open_bench)
    with pytest.raises(Unreachable, match="bookworm"):
        made.tarball("bookworm")
    assert told == ["making a clean bookworm chroot (once, about a minute)"]
    assert list((open_bench.root / "chroots").glob("*.tar.zst")) == []
    assert list(open_bench.workshop.root.iterdir()) == []


def test_an_old_chroot_is_kept_when_it_cannot_be_renewed(open_bench: Context) -> None:
    path = open_bench.root / "chroots" / "bookworm.tar.zst"
    path.parent.mkdir()
    path.write_bytes(b"old")
    young, told = chroots(open_bench, timedelta(days=13))
    assert young.get("bookworm").path == path
    assert (told, young.get("bookworm").findings) == ([], ())
    old, told = chroots(open_bench, timedelta(days=15))
    chroot = old.get("bookworm")
    assert path.read_bytes() == b"old"
    assert [finding.code for finding in chroot.findings] == ["old-chroot"]
    assert not chroot.fresh
    assert re.search("could not be renewed", told[-1])


def test_each_architecture_has_a_chroot_of_its_own(open_bench: Context) -> None:
    made, told = chroots(open_bench, timedelta(days=13))
    for name in ("bookworm", "bookworm-i386"):
        (open_bench.root / "chroots").mkdir(exist_ok=True)
        (open_bench.root / "chroots" / f"{name}.tar.zst").write_bytes(b"old")
    assert made.get("bookworm").path.name == "bookworm.tar.zst"
    other = made.get("bookworm", "i386")
    assert (other.path.name, other.name, told) == ("bookworm-i386.tar.zst", "bookworm-i386", [])


def test_an_unknown_series_is_a_fault_of_the_set_up(open_bench: Context) -> None:
    with pytest.raises(SetupError, match="noseries"):
        chroots(open_bench)[0].tarball("noseries")


def test_a_folder_below_a_private_one_is_refused(open_bench: Context) -> None:
    (open_bench.root / "home").mkdir(mode=0o700)
    made = Chroots(
        open_bench.root / "home" / "chroots", workshop=open_bench.workshop, clock=SystemClock()
    )
    with pytest.raises(SetupError, match="may not pass through"):
        made.tarball("bookworm")
