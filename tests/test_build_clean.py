"""Building and testing in clean chroots: real mmdebstrap, sbuild and autopkgtest. Minutes.

The chroot is the one that all tests and runs share, and what needs no build of its own is
tested on packages that dpkg-deb has put together.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.test_build import At
from tests.tiny_packages import Bench
from toolsync.config import Build
from toolsync.errors import PackageFailed
from toolsync.model import Built, Finding, SourcePackage
from toolsync.package.autopkgtest import autopkgtest
from toolsync.package.build import build
from toolsync.package.chroot import Chroots, chroot_folder
from toolsync.package.job import Job
from toolsync.system.clock import SystemClock
from toolsync.system.work import remove_tree

pytestmark = pytest.mark.slow

CLEAN = Build(backend="sbuild")


@dataclass(frozen=True)
class Yard:
    """A bench where mapped users can reach it, and chroots made once for the module."""

    bench: Bench
    chroots: Chroots

    def build(self, source: SourcePackage, settings: Build = CLEAN) -> Built:
        bench = self.bench
        try:
            return build(
                source,
                settings=settings,
                store=bench.store,
                workshop=bench.workshop,
                chroots=self.chroots,
            )
        finally:
            assert list(bench.workshop.root.iterdir()) == []

    def test(self, **options: Any) -> tuple[str, tuple[Finding, ...]]:
        """Run the tests of a package that was put together without a build."""
        built = self.bench.built(**options)
        with self.bench.workshop.folder("tests") as folder:
            files = [self.bench.store.copy_to(blob, folder) for blob in built.files]
            job = Job(
                dsc=next(path for path in files if path.suffix == ".dsc"),
                folder=folder,
                series="bookworm",
                log=folder / "build.log",
                seconds=600,
                chroots=self.chroots,
            )
            debs = tuple(path for path in files if path.suffix == ".deb")
            return autopkgtest(job, debs=debs, tarball=self.chroots.tarball("bookworm"))


@pytest.fixture(scope="module")
def yard() -> Iterator[Yard]:
    root = Path(tempfile.mkdtemp(prefix="toolsync-test-", dir="/var/tmp"))
    try:
        bench = Bench(root)
        shared = Chroots(chroot_folder(), workshop=bench.workshop, clock=SystemClock())
        yield Yard(bench, shared)
    finally:
        remove_tree(root)


def test_clean_and_host_builds_are_the_same_bytes_and_tests_pass(yard: Yard) -> None:
    source = yard.bench.source()
    clean = yard.build(source)
    assert clean.tests == "1 passed"
    assert clean.builder.startswith("sbuild (unshare), bookworm chroot of 20")
    assert clean.findings == ()
    host = yard.build(source, Build(backend="host", lint=False))
    assert (clean.changes, clean.files) == (host.changes, host.files)
    target = yard.bench.archive()
    target.confirm(target.publish(clean))


def test_a_failing_test_fails_the_package(yard: Yard) -> None:
    control = "Test-Command: wrong-tool | grep 9.9\n"
    with pytest.raises(PackageFailed, match=r"a test failed:\ncommand1 +FAIL"):
        yard.test(name="wrong-tool", files={"tests/control": control})


def test_a_package_without_tests_says_so(yard: Yard) -> None:
    control = "Test-Command: true\nRestrictions: superficial\n"
    phrase, findings = yard.test(name="lazy-tool", files={"tests/control": control})
    assert "superficial" in phrase
    assert [finding.code for finding in findings] == ["autopkgtest-8"]


def test_a_failing_clean_build_names_the_stage_and_has_no_network(yard: Yard) -> None:
    rules = "override_dh_auto_build:\n\tperl -MSocket -e 'socket($$s,PF_INET,SOCK_STREAM,6);" + (
        ' connect($$s,sockaddr_in(53,inet_aton("192.0.2.1"))) or die "E: no network: $$!"\'\n'
    )
    with pytest.raises(PackageFailed, match=r"(?s)stage build.*no network: Network is unreach"):
        yard.build(yard.bench.source(name="broken-tool", rules=rules))


def test_a_build_dependency_that_does_not_exist_is_the_packages_fault(yard: Yard) -> None:
    control = (
        "Source: needy-tool\nMaintainer: A <a@localhost>\n"
        "Build-Depends: debhelper-compat (= 13), no-such-package-at-all\n\n"
        "Package: needy-tool\nArchitecture: all\nDescription: x\n y\n"
    )
    # To a chroot that is not of today the mirror's news come first, and not by a second try.
    old = Chroots(
        chroot_folder(), days=1000, workshop=yard.bench.workshop, clock=At(timedelta(days=2))
    )
    with pytest.raises(PackageFailed, match=r"(?s)stage install-deps.*no-such-package-at-all"):
        replace(yard, chroots=old).build(
            yard.bench.source(name="needy-tool", files={"control": control})
        )
