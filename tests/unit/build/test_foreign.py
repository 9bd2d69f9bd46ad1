"""Other architectures: who can build for them, and how such a build differs."""

from __future__ import annotations

import shutil

import pytest

from toolsync.build.foreign import require_builder
from toolsync.build.host import HOST
from toolsync.build.job import WHOLE, Part
from toolsync.build.sbuild import SBUILD
from toolsync.model.errors import SetupError
from toolsync.system.architectures import own

OTHER = "s390x" if own() != "s390x" else "amd64"


def test_a_machine_builds_for_its_own_architecture() -> None:
    for backend in (HOST, SBUILD):
        assert "own architecture" in require_builder(backend, own())
        assert require_builder(backend, "") == require_builder(backend, own())
    assert (WHOLE.foreign, Part(architecture=own()).foreign) == ("", "")
    assert Part(architecture=OTHER).foreign == OTHER


def test_what_it_cannot_run_it_does_not_build_and_says_who_could() -> None:
    with pytest.raises(SetupError, match=f"host builds for {own()} alone") as caught:
        require_builder(HOST, OTHER)
    assert "a worker of that architecture" in caught.value.resolution


@pytest.mark.skipif(not shutil.which("arch-test"), reason="arch-test measures what can be run")
def test_what_can_be_run_is_measured() -> None:
    # No architecture that dpkg knows and arch-test has no program for is ever believed to run.
    with pytest.raises(SetupError, match="runs no programs of that architecture"):
        require_builder(SBUILD, "uclibc-linux-sparc")
