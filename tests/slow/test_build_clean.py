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

from tests.support.tiny_packages import Context, passed
from tests.unit.build.test_stage import At
from toolsync.build.autopkgtest import autopkgtest
from toolsync.build.chroot import Chroots, chroot_folder
from toolsync.build.job import Job
from toolsync.build.stage import build
from toolsync.config.settings import Build
from toolsync.model.errors import PackageFailed
from toolsync.model.release import Built, Finding, SourcePackage
from toolsync.system.clock import SystemClock
from toolsync.system.work import remove_tree

pytestmark = pytest.mark.slow

CLEAN = Build(backend="sbuild")


@dataclass(frozen=True)
class Yard:
    """A context where mapped users can reach it, and chroots made once for the module."""

    context: Context
    chroots: Chroots

    def build(self, source: SourcePackage, settings: Build = CLEAN) -> Built:
        context = self.context
        try:
            return build(
                source,
                settings=settings,
                store=context.store,
                workshop=context.workshop,
                chroots=self.chroots,
            )
        finally:
            assert list(context.workshop.root.iterdir()) == []

    def test(
        self, former: SourcePackage | None = None, **options: Any
    ) -> tuple[str, tuple[Finding, ...]]:
        """Run the tests of a package that was put together without a build.

        ``former`` is what the series itself would serve under its name.
        """
        built = self.context.built(**options)
        with self.context.workshop.folder("tests") as folder:
            (old := folder / "former").mkdir()
            known = former.files if former else ()
            before = [self.context.store.copy_to(blob, old) for blob in known]
            files = [self.context.store.copy_to(blob, folder) for blob in built.files]
            job = Job(
                dsc=next(path for path in files if path.suffix == ".dsc"),
                folder=folder,
                series="bookworm",
                log=folder / "build.log",
                seconds=600,
                chroots=self.chroots,
                former=lambda: next((p for p in before if p.suffix == ".dsc"), None),
            )
            debs = tuple(path for path in files if path.suffix == ".deb")
            return autopkgtest(job, debs=debs, tarball=self.chroots.tarball("bookworm"))


@pytest.fixture(scope="module")
def yard() -> Iterator[Yard]:
    root = Path(tempfile.mkdtemp(prefix="toolsync-test-"))
    try:
        context = Context(root)
        shared = Chroots(chroot_folder(), workshop=context.workshop, clock=SystemClock())
        yield Yard(context, shared)
    finally:
        remove_tree(root)


def test_clean_and_host_builds_are_the_same_bytes_and_tests_pass(yard: Yard) -> None:
    source = yard.context.source()
    clean = yard.build(source)
    assert clean.tests == "1 passed"
    assert clean.builder.startswith("sbuild (unshare), bookworm chroot of 20")
    assert clean.findings == ()
    host = yard.build(source, Build(backend="host", lint=False))
    assert (clean.changes, clean.files) == (host.changes, host.files)
    target = yard.context.archive()
    target.confirm(target.publish(passed(clean)))


def test_a_failing_test_fails_the_package(yard: Yard) -> None:
    control = "Test-Command: wrong-tool | grep 9.9\n"
    with pytest.raises(PackageFailed, match=r"a test failed:\ncommand1 +FAIL"):
        yard.test(name="wrong-tool", files={"tests/control": control})


def test_a_test_that_failed_before_as_well_is_told_and_fails_nothing(yard: Yard) -> None:
    same = "Test-Command: false\nDepends:\nFeatures: test-name=sick\n"
    other = "Test-Command: false\nDepends:\nFeatures: test-name=well\n"
    former = yard.context.source(name="old-tool", files={"tests/control": same})
    _, (finding,) = yard.test(former, name="sick-tool", files={"tests/control": same})
    assert (finding.code, finding.severity) == ("autopkgtest-as-before", "risky")
    assert finding.message.startswith("sick failed, as with old-tool_1.0-")
    with pytest.raises(PackageFailed, match=r"well +FAIL"):
        yard.test(former, name="new-tool", files={"tests/control": f"{same}\n{other}"})


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
        yard.build(yard.context.source(name="broken-tool", rules=rules))


def test_a_build_dependency_that_does_not_exist_is_the_packages_fault(yard: Yard) -> None:
    control = (
        "Source: needy-tool\nMaintainer: A <a@localhost>\nStandards-Version: 4.6.2\n"
        "Build-Depends: debhelper-compat (= 13), no-such-package-at-all\n\n"
        "Package: needy-tool\nArchitecture: all\nDescription: x\n y\n"
    )
    # To a chroot that is not of today the mirror's news come first, and not by a second try.
    old = Chroots(
        chroot_folder(), days=1000, workshop=yard.context.workshop, clock=At(timedelta(days=2))
    )
    with pytest.raises(PackageFailed, match="no-such-package-at-all: there is none"):
        replace(yard, chroots=old).build(
            yard.context.source(name="needy-tool", files={"control": control})
        )
