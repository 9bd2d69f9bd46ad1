"""What a package is built with is looked for before anything is installed for it."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.unit.build.test_blame import job_at
from toolsync.build.archives import Archive, control_of
from toolsync.build.chroot import Chroot
from toolsync.build.job import Job
from toolsync.build.needs import Lacking, archive_in, require_needs
from toolsync.build.relations import Unmet
from toolsync.model.errors import hold_word
from toolsync.system.apt import private_apt

PACKAGES = {
    "build-essential": "",
    "debhelper": "Provides: debhelper-compat (= 13)\n",
    "libstuck-dev": "Depends: no-such-library (>= 1)\n",
}


@pytest.fixture(scope="module")
def chroot(tmp_path_factory: pytest.TempPathFactory) -> Chroot:
    """The tarball of a chroot that knows of three packages, and has none installed."""
    place = tmp_path_factory.mktemp("chroot")
    (pool := place / "pool").mkdir()
    (pool / "Packages").write_text(
        "".join(
            f"Package: {name}\nVersion: 13.11\nArchitecture: all\nFilename: x\nSize: 1\n"
            f"SHA256: {'0' * 64}\n{more}\n"
            for name, more in PACKAGES.items()
        )
    )
    root = place / "root"
    stanza = f"Types: deb\nURIs: copy:{pool}\nSuites: ./\nTrusted: yes\n"
    Archive("bookworm", place, private_apt(place / "apt", stanza)).update()
    (root / "etc/apt/sources.list.d").mkdir(parents=True)
    (root / "etc/apt/sources.list.d/x.sources").write_text(stanza)
    (root / "var/lib/dpkg").mkdir(parents=True)
    (root / "var/lib/dpkg/status").touch()
    (root / "var/lib/apt").mkdir()
    (place / "apt" / "lists").rename(root / "var/lib/apt/lists")
    tarball = place / "bookworm.tar.zst"
    subprocess.run(["tar", "--zstd", "-cf", tarball, "-C", root, "."], check=True)
    return Chroot(name="bookworm", path=tarball, made=datetime.now(UTC), fresh=True)


@pytest.fixture
def job(tmp_path: Path) -> Job:
    """A job whose archive lacks what its chroot lacks."""
    (tmp_path / "made").mkdir()
    return job_at(tmp_path / "made", "http://127.0.0.1:9/debian")


def needs(job: Job, field: str) -> Job:
    job.dsc.write_text(
        f"Format: 3.0 (quilt)\nSource: tiny\nBinary: tiny\nArchitecture: all\nVersion: 1-1\n"
        f"Build-Depends: {field}\n"
    )
    return job


def test_nothing_is_asked_of_the_archive_where_the_chroot_has_all(job: Job, chroot: Chroot) -> None:
    def ask() -> tuple[Unmet, ...]:
        raise AssertionError("the archive was asked")

    require_needs(replace(needs(job, "debhelper-compat (= 13)"), lacks=ask), chroot)


def test_what_is_lacking_is_named_before_the_build(job: Job, chroot: Chroot) -> None:
    lists = archive_in(chroot.path, "bookworm", job.folder / "other")
    needs(job, "debhelper-compat (= 14), nobody (>= 1) | noone")
    lacking = replace(job, lacks=lambda: lists.lacks(control_of(job.dsc)))
    with pytest.raises(Lacking) as caught:
        require_needs(lacking, chroot)
    assert str(caught.value) == (
        "tiny_1.dsc is not built for bookworm: the series does not have what it is built with:\n"
        "debhelper-compat (= 14): there is debhelper-compat 13\n"
        "nobody (>= 1) | noone: there is none"
    )
    assert hold_word(caught.value) == "PackageFailed"
    told = caught.value.with_places({"nobody (>= 1) | noone: there is none": "x-backports has it"})
    assert str(told).endswith("nobody (>= 1) | noone: there is none; x-backports has it")


def test_what_has_come_into_the_archive_since_holds_nothing(job: Job, chroot: Chroot) -> None:
    require_needs(replace(needs(job, "nobody"), lacks=tuple), chroot)


def test_what_cannot_be_installed_is_left_to_the_build(job: Job, chroot: Chroot) -> None:
    lists = archive_in(chroot.path, "bookworm", job.folder / "other")
    needs(job, "libstuck-dev")
    assert not lists.can_build(job.dsc)
    require_needs(replace(job, lacks=lambda: lists.lacks(control_of(job.dsc))), chroot)


def test_a_tarball_that_cannot_be_read_is_left_to_the_build(job: Job, tmp_path: Path) -> None:
    (tmp_path / "x.tar.zst").write_bytes(b"no tarball")
    broken = Chroot(
        name="bookworm", path=tmp_path / "x.tar.zst", made=datetime.now(UTC), fresh=True
    )
    require_needs(needs(job, "nobody"), broken)
