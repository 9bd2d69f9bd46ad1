"""Whose chroots are trusted, and who makes them when several want one at once."""

from __future__ import annotations

import fcntl
import os
import threading
import time
from datetime import timedelta
from pathlib import Path

import pytest

from tests.servers.web import Answer, Web
from tests.support.tiny_packages import Context
from tests.unit.build.test_stage import chroots
from toolsync.build.chroot import Chroots, NotOffered, chroot_folder, default_mirror
from toolsync.model.errors import SetupError, ToolsyncError, TryAgain, Unreachable
from toolsync.system.architectures import own
from toolsync.system.clock import SystemClock


@pytest.fixture
def context(tmp_path: Path) -> Context:
    """A context whose folder mapped users can reach."""
    for parent in (tmp_path, *tmp_path.parents):
        if os.stat(parent).st_uid == os.geteuid() and parent != Path("/"):
            parent.chmod(os.stat(parent).st_mode | 0o055)
    return Context(tmp_path)


@pytest.fixture
def tarball(context: Context) -> Path:
    """A young tarball, as it should be."""
    path = context.root / "chroots" / "bookworm.tar.zst"
    path.parent.mkdir()
    path.write_bytes(b"young")
    path.chmod(0o644)
    return path


def refused(context: Context, words: str) -> SetupError:
    with pytest.raises(SetupError, match=words) as caught:
        chroots(context)[0].get("bookworm")
    assert caught.value.resolution
    return caught.value


def test_a_young_tarball_of_ours_is_taken(context: Context, tarball: Path) -> None:
    assert chroots(context)[0].get("bookworm").path == tarball


@pytest.mark.parametrize("mode", [0o775, 0o757, 0o1777])
def test_a_folder_that_others_may_write_to_is_refused(
    context: Context, tarball: Path, mode: int
) -> None:
    tarball.parent.chmod(mode)
    assert "chmod go-w" in refused(context, "others may write").resolution


def test_a_link_in_the_folders_place_is_refused(context: Context, tarball: Path) -> None:
    tarball.parent.rename(context.root / "elsewhere")
    tarball.parent.symlink_to(context.root / "elsewhere")
    refused(context, "belongs to somebody else or is no folder")


def test_a_folder_planted_by_somebody_else_is_refused(context: Context, tarball: Path) -> None:
    foreign = tarball.parent
    if os.geteuid() == 0:
        os.chown(foreign, 4321, 4321)
    else:
        foreign = Path("/usr/share")  # root's
    made = Chroots(foreign, workshop=context.workshop, clock=SystemClock())
    with pytest.raises(SetupError, match="belongs to somebody else"):
        made.get("bookworm")


def test_a_tarball_that_is_a_link_is_refused(context: Context, tarball: Path) -> None:
    tarball.rename(context.root / "planted")
    tarball.symlink_to(context.root / "planted")
    refused(context, "is no plain file")


@pytest.mark.parametrize("mode", [0o664, 0o646])
def test_a_tarball_that_others_may_write_to_is_refused(
    context: Context, tarball: Path, mode: int
) -> None:
    tarball.chmod(mode)
    refused(context, "is open for others to write")


def test_the_second_toolsync_waits_and_takes_what_the_first_made(
    context: Context, tarball: Path
) -> None:
    """The first one's growing file stays, and the second makes nothing of its own."""
    young = tarball.read_bytes()
    tarball.unlink()
    growing = tarball.parent / ".bookworm.1.tar.zst"
    growing.write_bytes(young)
    second, told = chroots(context)
    found: list[Path] = []
    waiting = threading.Thread(target=lambda: found.append(second.get("bookworm").path))
    with (tarball.parent / ".bookworm.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        waiting.start()
        end = time.monotonic() + 10
        while not told and time.monotonic() < end:
            time.sleep(0.01)
        assert growing.exists()
        growing.rename(tarball)
    waiting.join(20)
    assert told == ["waiting for whoever makes the bookworm chroot"]
    assert found == [tarball]


def test_a_renewal_is_guarded_too_and_clears_only_its_own_series(
    context: Context, tarball: Path
) -> None:
    other = tarball.parent / ".trixie.1.tar.zst"
    other.write_bytes(b"growing")
    left = tarball.parent / ".bookworm.1.tar.zst"
    left.write_bytes(b"of a killed run")
    old, _ = chroots(context, timedelta(days=15))
    assert old.get("bookworm").findings  # the mirror is down: the old one serves
    assert other.exists()
    assert not left.exists()
    assert (tarball.parent / ".bookworm.lock").exists()


def test_the_folder_is_this_users_own_unless_the_set_up_names_one() -> None:
    assert chroot_folder("/srv/chroots") == Path("/srv/chroots")
    assert str(chroot_folder()).startswith(f"/var/tmp/toolsync-{os.geteuid()}-chroots")


INDEX = "Origin: Debian\nArchitectures: all amd64 arm64\nComponents: main\n"
DISTS = "/debian/dists/bookworm"


def offered(context: Context, web: Web, architecture: str) -> ToolsyncError:
    """Return why no chroot could be made from a mirror that has no packages at all."""
    folder = context.root / "chroots"
    mirror = f"{web.url}/debian"
    made = Chroots(folder, mirror=mirror, workshop=context.workshop, clock=SystemClock())
    with pytest.raises(ToolsyncError) as caught:
        made.get("bookworm", architecture)
    assert caught.value.resolution
    assert not list(folder.glob("*.zst"))
    return caught.value


def test_an_architecture_that_the_mirror_does_not_name_is_for_the_set_up(
    context: Context, web: Web
) -> None:
    web.serve(f"{DISTS}/InRelease", INDEX)
    error = offered(context, web, "i386")
    assert isinstance(error, NotOffered)
    assert f"{web.url}/debian has no i386 of bookworm, only amd64, arm64" in str(error)
    assert "Leave i386 out of [local] architectures or bookworm out of" in error.resolution


def test_an_architecture_that_the_mirror_names_and_leaves_out_is_for_the_set_up(
    context: Context, web: Web
) -> None:
    """The index is signed: who mirrors a part of an archive cannot change what it says."""
    web.serve(f"{DISTS}/InRelease", INDEX.replace("arm64", "arm64 i386"))
    error = offered(context, web, "i386")
    assert isinstance(error, NotOffered)
    assert "no packages for i386 of bookworm, though its index names it" in str(error)


def test_a_series_that_the_mirror_does_not_have_is_for_the_set_up(
    context: Context, web: Web
) -> None:
    error = offered(context, web, "")
    assert isinstance(error, NotOffered)
    assert "has no series bookworm" in str(error)
    web.serve(f"{DISTS}/Release", INDEX.replace("arm64", own()))
    web.serve(f"{DISTS}/main/binary-{own()}/Packages.gz", b"x")
    assert type(offered(context, web, "")) is TryAgain  # older mirrors have no InRelease


def test_a_mirror_that_is_being_changed_or_unwell_is_asked_again(
    context: Context, web: Web
) -> None:
    web.serve(f"{DISTS}/InRelease", INDEX)
    web.serve(f"{DISTS}/main/binary-arm64/Packages.gz", b"x")
    assert type(offered(context, web, "arm64")) is TryAgain
    web.serve_by(f"{DISTS}/main/binary-arm64/Packages.gz", lambda _: Answer(status=503))
    assert type(offered(context, web, "arm64")) is TryAgain
    web.serve_by(f"{DISTS}/InRelease", lambda _: Answer(status=503))
    assert type(offered(context, web, "i386")) is Unreachable


def test_a_folder_as_mirror_is_looked_at_likewise(context: Context, web: Web) -> None:
    place = context.root / "mirror"

    def error() -> ToolsyncError:
        made = Chroots(
            context.root / "chroots",
            mirror=f"copy://{place}",
            workshop=context.workshop,
            clock=SystemClock(),
        )
        with pytest.raises(ToolsyncError) as caught:
            made.get("bookworm", "i386")
        return caught.value

    assert type(error()) is TryAgain  # perhaps it is not mounted
    (folder := place / "dists" / "bookworm").mkdir(parents=True)
    assert isinstance(error(), NotOffered)
    (folder / "InRelease").write_text(INDEX)
    assert "no i386 of bookworm" in str(error())


def test_an_old_chroot_is_kept_where_the_mirror_has_dropped_its_series(
    context: Context, tarball: Path, web: Web
) -> None:
    long_ago = time.time() - timedelta(days=30).total_seconds()
    os.utime(tarball, (long_ago, long_ago))
    made = Chroots(
        tarball.parent, mirror=f"{web.url}/debian", workshop=context.workshop, clock=SystemClock()
    )
    (finding,) = made.get("bookworm").findings
    assert "has no series bookworm" in finding.message


def test_ubuntu_has_another_mirror_for_most_architectures() -> None:
    """As mmdebstrap(1) knows it: the first one names them, too, and has no packages of theirs."""
    assert default_mirror("ubuntu", "i386") == "http://archive.ubuntu.com/ubuntu"
    assert default_mirror("ubuntu", "arm64") == "http://ports.ubuntu.com/ubuntu-ports"
    assert default_mirror("debian", "arm64") == "http://deb.debian.org/debian"
