"""An archive with several architectures: what joins it, what it shows, and what apt gets there."""

from __future__ import annotations

import pickle
import shutil
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from tests.servers.web import Web
from tests.support.machines import as_machine
from tests.support.ported import NAME, built_for, source_for
from tests.support.rig import ROOT, Rig, environment
from tests.support.tiny import publish, write_tool
from tests.support.tiny_packages import Context, passed
from toolsync.config.settings import Local
from toolsync.model.errors import Replaced
from toolsync.model.release import Built
from toolsync.publish import index
from toolsync.publish.local import LocalArchive
from toolsync.publish.rebuild import Pool, Published
from toolsync.system.apt import private_apt
from toolsync.system.lock import end_survivors
from toolsync.system.run import MARK

BOTH = Local(architectures=("amd64", "i386"))


@pytest.fixture
def context(tmp_path: Path) -> Context:
    return Context(tmp_path)


def shown(context: Context, architecture: str) -> set[tuple[str, str]]:
    """Return names and versions of what an architecture's index names, but for the keyring."""
    path = context.root / f"archive/dists/bookworm/main/binary-{architecture}/Packages"
    text = path.read_text() if path.is_file() else ""
    fields = [dict(line.split(": ", 1) for line in p.splitlines() if ": " in line)
              for p in text.split("\n\n") if p.strip()]  # fmt: skip
    return {
        (f["Package"], f["Architecture"])
        for f in fields
        if f["Package"] != "toolsync-archive-keyring"
    }


def served(target: LocalArchive, built: Built) -> set[str]:
    """Publish and confirm; return the names of all that apt got."""
    item = passed(built)
    return {blob.name for blob in target.confirm(target.publish(item)).served}


def test_all_builds_of_a_release_are_shown_in_one_step_and_apt_gets_each(context: Context) -> None:
    source = source_for(context)
    whole = built_for(context, source, "amd64")
    other = built_for(context, source, "i386", alone=True)
    target = context.archive(BOTH)
    names = served(target, replace(whole, others=(other,)))
    assert {n for n in names if n.endswith(".deb")} == {
        f"{NAME}_{source.version}_amd64.deb",
        f"{NAME}_{source.version}_i386.deb",
        f"{NAME}-doc_{source.version}_all.deb",
    }
    assert shown(context, "amd64") == {(NAME, "amd64"), (f"{NAME}-doc", "all")}
    assert shown(context, "i386") == {(NAME, "i386"), (f"{NAME}-doc", "all")}
    assert target.served_architectures(NAME, "bookworm") == {"amd64", "i386"}
    before = target.state("bookworm", NAME)
    served(target, replace(whole, others=(other,)))
    assert target.state("bookworm", NAME) == before


def test_an_architecture_that_is_added_later_joins_the_version_that_is_published(
    context: Context,
) -> None:
    source = source_for(context)
    whole = built_for(context, source, "amd64")
    served(context.archive(Local(architectures=("amd64",))), whole)
    assert not (context.root / "archive/dists/bookworm/main/binary-i386").exists()
    target = context.archive(BOTH)
    # What is for all is there at once, what is i386's own when it was built.
    served(target, whole)
    assert shown(context, "i386") == {(f"{NAME}-doc", "all")}
    files = index.served(context.root / "archive", "bookworm")
    served(target, replace(whole, others=(built_for(context, source, "i386", alone=True),)))
    assert shown(context, "i386") == {(NAME, "i386"), (f"{NAME}-doc", "all")}
    now = index.served(context.root / "archive", "bookworm")
    assert now.items() >= files.items()
    assert now.keys() - files.keys() == {f"{NAME}_{source.version}_i386.deb"}


def test_an_architecture_that_is_set_up_no_longer_stays_as_it_is(context: Context) -> None:
    source = source_for(context)
    other = built_for(context, source, "i386", alone=True)
    whole = built_for(context, source, "amd64")
    served(context.archive(BOTH), replace(whole, others=(other,)))
    newer = built_for(context, source_for(context, "2.0"), "amd64")
    served(context.archive(Local(architectures=("amd64",))), newer)
    assert shown(context, "i386") == {(NAME, "i386"), (f"{NAME}-doc", "all")}


def test_the_bytes_of_each_architecture_are_for_ever(context: Context) -> None:
    source = source_for(context)
    whole = built_for(context, source, "amd64")
    other = built_for(context, source, "i386", alone=True)
    target = context.archive(BOTH)
    target.publish(passed(replace(whole, others=(other,))))
    name = f"{NAME}_{source.version}_i386.deb"
    forged = tuple(
        context.store.add_bytes(b"other", name) if blob.name == name else blob
        for blob in other.files
    )
    with pytest.raises(Replaced, match=f"{name} was published with"):
        target.publish(passed(replace(whole, others=(replace(other, files=forged),))))


def test_the_apt_of_an_i386_machine_gets_its_own_and_what_is_for_all(context: Context) -> None:
    source = source_for(context)
    other = built_for(context, source, "i386", alone=True)
    target = context.archive(BOTH)
    target.publish(passed(replace(built_for(context, source, "amd64"), others=(other,))))
    folder = context.root / "apt"
    folder.mkdir()
    env = private_apt(folder, target.stanza("bookworm"), "i386")

    def apt(*words: str) -> str:
        done = subprocess.run(
            words, cwd=folder, env={"PATH": "/usr/bin:/bin", **env}, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    apt("apt-get", "update", "-q")
    assert apt("apt-cache", "pkgnames").split().count(NAME) == 1
    apt("apt-get", "-q", "download", NAME, f"{NAME}-doc")
    assert {path.name for path in folder.glob("*.deb")} == {
        f"{NAME}_{source.version}_i386.deb",
        f"{NAME}-doc_{source.version}_all.deb",
    }


def test_an_archive_is_rebuilt_with_all_its_architectures(context: Context) -> None:
    source = source_for(context)
    whole = built_for(context, source, "amd64")
    other = built_for(context, source, "i386", alone=True)
    target = context.archive(BOTH)
    served(target, replace(whole, others=(other,)))
    files = index.served(context.root / "archive", "bookworm")

    def published(built: Built, *others: Published) -> Published:
        return Published(
            series="bookworm",
            source=NAME,
            version=source.version,
            changes=built.changes,
            files=built.files,
            required=True,
            others=others,
        )

    pool = Pool(context.root / "archive", context.store)
    target.rebuild([published(whole, published(other))], pool)
    assert index.served(context.root / "archive", "bookworm") == files
    assert shown(context, "i386") == {(NAME, "i386"), (f"{NAME}-doc", "all")}


def test_what_another_machine_built_first_is_got_by_the_apt_of_that_one(context: Context) -> None:
    """Of a build for the machine's own architecture nothing was written down but its .changes."""
    source = source_for(context)
    whole = replace(built_for(context, source, "i386"), architecture="")
    assert f"{NAME}_{source.version}_i386.deb" in served(context.archive(BOTH), whole)


@pytest.fixture
def rig(tmp_path: Path, web: Web) -> Rig:
    """A set-up that builds for this machine alone, and an archive for another one, too."""
    found = Rig(tmp_path / "set-up")
    found.configure(f'{found.settings}[local]\narchitectures = ["amd64", "arm64"]\n')
    publish(web, "1.0")
    control = write_tool(found.tools, f"{web.url}/dl/", "1.0") / "debian" / "control"
    text = control.read_text().replace("Architecture: all", "Architecture: any")
    control.write_text(text)
    return found


def debs(rig: Rig) -> set[str]:
    """Return the architectures of the tool's packages that are served."""
    names = (n for n in index.served(rig.archive, "bookworm") if n.startswith("hello_"))
    return {name.rpartition("_")[2] for name in names if name.endswith(".deb")}


def test_a_release_is_published_though_nobody_builds_it_for_another_architecture(rig: Rig) -> None:
    (row,) = rig.json("sync", "hello", status=5)
    assert "nothing is built here for arm64" in row["message"]
    assert row["published"] == ["1.0"]
    (row,) = rig.json("sync", "hello", status=5)
    assert "nothing is built here for arm64" in row["message"]
    assert row["published"] == []


def test_a_state_is_gone_on_with_on_a_machine_of_another_architecture(rig: Rig) -> None:
    """What the first machine built for itself is not taken for what the second one would."""
    rig.run("sync", "hello", status=5)
    assert debs(rig) == {"amd64.deb"}
    path = as_machine(rig.root / "programs", "arm64", "aarch64-linux-gnu")
    rig.run("sync", "hello", PATH=path)
    assert debs(rig) == {"amd64.deb", "arm64.deb"}


PUBLISHER = """
import pickle, sys
from pathlib import Path
from tests.service.test_architectures import BOTH
from tests.support.tiny_packages import Context, passed
context = Context(Path(sys.argv[1]))
context.archive(BOTH).publish(passed(pickle.loads(Path(sys.argv[2]).read_bytes())))
"""
KILLS = 10


def test_a_kill_at_any_moment_shows_all_architectures_of_a_version_or_none(
    context: Context, tmp_path: Path
) -> None:
    def whole(upstream: str) -> Built:
        source = source_for(context, upstream)
        other = built_for(context, source, "i386", alone=True)
        return replace(built_for(context, source, "amd64"), others=(other,))

    first, second = whole("1.0"), whole("2.0")
    target, archive = context.archive(BOTH), context.root / "archive"
    target.publish(passed(first))
    shutil.copytree(archive, context.root / "pristine", symlinks=True)
    given = tmp_path / "second"
    given.write_bytes(pickle.dumps(second))

    def start() -> subprocess.Popen[bytes]:
        words = [sys.executable, "-c", PUBLISHER, str(context.root), str(given)]
        env = environment() | {MARK: str(context.root)}
        process = subprocess.Popen(words, env=env, cwd=ROOT)
        while len(list((archive / ".generations").iterdir())) == 1:
            assert process.poll() is None
            time.sleep(0.002)
        return process

    def versions() -> set[str]:
        """Return the versions that are served, one of which not all is under another name."""
        there = index.served(archive, "bookworm").keys()
        found = set()
        for version, built in (("1.0", first), ("2.0", second)):
            names = {blob.name for one in built.whole for blob in one.debs}
            if names & there:
                found.add(version if names <= there else f"a part of {version}")
        return found

    began = time.monotonic()
    assert start().wait() == 0
    seconds, seen = time.monotonic() - began, set()
    for number in range(KILLS):
        shutil.rmtree(archive)
        shutil.copytree(context.root / "pristine", archive, symlinks=True)
        process = start()
        time.sleep(seconds * number / KILLS)
        process.kill()
        process.wait()
        end_survivors(context.root)
        now = versions()
        assert now in ({"1.0"}, {"2.0"})
        seen |= now
        target = context.archive(BOTH)
        target.confirm(target.publish(passed(second)))
        assert versions() == {"2.0"}
    assert seen == {"1.0", "2.0"}
