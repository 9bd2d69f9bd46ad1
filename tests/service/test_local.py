"""The local archive beyond the contract: set-up, keys, web servers, and above all kills."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from debian.deb822 import Changes

from tests.support.tiny_packages import Context, passed
from toolsync.config.settings import Config, Local
from toolsync.model.errors import Busy, Held, Replaced, SetupError, Unreachable, Unverified
from toolsync.model.release import Built
from toolsync.pipeline.context import open_http
from toolsync.publish import index
from toolsync.publish.rebuild import Pool, Published
from toolsync.publish.targets import TARGETS, open_target
from toolsync.system.clock import SystemClock
from toolsync.system.gpg import SigningHome
from toolsync.system.lock import end_survivors
from toolsync.system.run import MARK

KILLS = 24

PUBLISHER = """
import pickle, sys
from pathlib import Path
from tests.support.tiny_packages import Context, passed
context = Context(Path(sys.argv[1]))
context.archive().publish(passed(pickle.loads(Path(sys.argv[2]).read_bytes())))
"""


@pytest.fixture
def context(tmp_path: Path) -> Context:
    return Context(tmp_path)


def indices(archive: Path) -> dict[str, bytes]:
    """Return what is served, but for what holds the hour and its signature."""
    return {
        str(path.relative_to(archive / "dists")): path.read_bytes()
        for path in (archive / "dists").rglob("*")
        if path.is_file() and path.name not in ("InRelease", "Release", "Release.gpg")
    }


def pool(archive: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(archive)): path.read_bytes()
        for path in (archive / "pool").rglob("*")
        if path.is_file()
    }


def test_the_archive_is_laid_out_as_the_set_up_says(context: Context) -> None:
    target = context.archive(Local(origin="Ours", label="Cloud tools"))
    target.publish(passed(context.built()))
    text = (context.root / "archive/conf/distributions").read_text()
    fingerprint = SigningHome(context.root / "gnupg").usable_key()
    assert f"SignWith: {fingerprint}\n" in text
    assert "Tracking: keep includechanges includebuildinfos\n" in text
    release = (context.root / "archive/dists/bookworm/InRelease").read_text()
    assert "Origin: Ours\n" in release
    assert "Codename: bookworm\n" in release
    assert "NotAutomatic: yes\nButAutomaticUpgrades: yes\n" in release
    assert "Components: main non-free\n" in release


def test_the_buildinfo_lies_beside_the_source_and_goes_with_it(context: Context) -> None:
    """Named by the .changes of the archive; that of the evidence is the same for each build."""
    built = context.built()
    name = f"{built.source.name}_{built.source.version}_amd64.buildinfo"
    told = context.store.add_bytes(b"Format: 1.0\nSource: tiny-tool\n", name)
    target = context.archive()
    target.publish(passed(replace(built, buildinfo=told)))
    root = context.root / "archive"
    (place,) = root.glob(f"pool/main/t/tiny-tool/{name}")
    assert place.read_bytes() == context.store.path(told).read_bytes()
    kept = Changes(next(place.parent.glob("*.changes")).read_text())
    assert kept["Checksums-Sha256"][-1]["sha256"] == told.sha256
    assert name not in context.store.path(built.changes).read_text()
    before = pool(root)
    target.publish(passed(replace(built, buildinfo=told)))
    assert pool(root) == before

    pool_of = Pool(root, context.store)
    item = Published(
        series="bookworm",
        source=built.source.name,
        version=built.source.version,
        changes=built.changes,
        files=built.files,
        buildinfo=told,
        required=True,
    )
    place.unlink()
    target.rebuild([item], pool_of)
    assert pool(root) == before
    context.store.where(told).unlink()
    place.unlink()
    target.rebuild([item], Pool(root, context.store))  # it is no reason to serve nothing
    assert not place.exists()
    assert target.inspector.look(deep=True) == ()


def test_a_changed_set_up_is_exported_at_once_and_a_series_can_join(context: Context) -> None:
    built = context.built()
    context.archive().publish(passed(built))
    context.series = ("bookworm", "trixie")
    changed = context.archive(Local(origin="Renamed"))
    changed.confirm(changed.publish(passed(built)))
    for series in ("bookworm", "trixie"):
        assert (
            "Origin: Renamed\n" in (context.root / f"archive/dists/{series}/InRelease").read_text()
        )
    changed.confirm(changed.publish(passed(context.built(series="trixie"))))
    assert changed.newest("tiny-tool", "bookworm") == built.source.version
    context.archive(Local(automatic=True)).publish(passed(built))
    assert "Automatic" not in (context.root / "archive/dists/bookworm/InRelease").read_text()


def test_a_changed_label_shows_in_the_state_until_it_is_published(context: Context) -> None:
    """So that the next run exports it, though there is no new package."""
    built = context.built()
    context.archive().publish(passed(built))
    before = context.archive().state("bookworm", "tiny-tool")
    changed = context.archive(Local(label="Renamed"))
    assert changed.state("bookworm", "tiny-tool") not in ("", before)
    older = context.archive().older_state("bookworm", "tiny-tool")
    assert changed.older_state("bookworm", "tiny-tool") not in ("", older)
    changed.confirm(changed.publish(passed(built)))
    assert "Label: Renamed\n" in (context.root / "archive/dists/bookworm/InRelease").read_text()
    after = context.archive(Local(label="Renamed")).state("bookworm", "tiny-tool")
    assert after == changed.state("bookworm", "tiny-tool")
    assert len(after) == 64


def test_a_path_with_spaces_and_signs_serves_apt(context: Context) -> None:
    archive = context.archive(place="an archive, 100% ours: #1")
    confirmed = archive.confirm(archive.publish(passed(context.built())))
    assert confirmed.served
    (line,) = [x for x in archive.stanza("bookworm").splitlines() if x.startswith("URIs:")]
    assert len(line.split()) == 2


def test_an_address_with_a_space_is_refused_with_what_to_write(context: Context) -> None:
    context.archive().publish(passed(context.built()))
    with pytest.raises(SetupError, match="has a space in it") as caught:
        context.archive(Local(url="http://archive.example/cloud tools/")).stanza("bookworm")
    assert "%20" in caught.value.resolution


def test_an_index_past_its_date_is_told(context: Context) -> None:
    """reprepro's ValidFor, which an operator may add, as apt reads it."""
    target = context.archive()
    target.publish(passed(context.built()))
    path = context.root / "archive/conf/distributions"
    path.write_text(path.read_text() + "ValidFor: 1d\n")
    with SigningHome(context.root / "gnupg").opened() as env:
        subprocess.run(
            ["reprepro", "--silent", "-b", context.root / "archive", "export"],
            env={**os.environ, **env},
            check=True,
        )
    assert "signed by" in target.check("bookworm", datetime.now(UTC))
    with pytest.raises(Unverified, match="is valid until"):
        target.check("bookworm", datetime.now(UTC) + timedelta(days=2))


def test_a_series_that_leaves_the_set_up_stays_served(context: Context) -> None:
    context.series = ("bookworm", "trixie")
    target = context.archive()
    target.publish(passed(context.built(series="trixie")))
    context.series = ("bookworm",)
    context.archive().publish(passed(context.built()))
    assert target.newest("tiny-tool", "trixie") is not None


def test_a_series_that_is_not_set_up_is_a_fault_of_the_set_up(context: Context) -> None:
    with pytest.raises(SetupError, match="trixie") as caught:
        context.archive().publish(passed(context.built(series="trixie")))
    assert "series" in caught.value.resolution


def test_an_archive_of_somebody_else_is_not_taken_over(context: Context) -> None:
    (context.root / "archive/dists/bookworm").mkdir(parents=True)
    with pytest.raises(SetupError, match="wanted a link"):
        context.archive().publish(passed(context.built()))


def test_a_reprepro_at_work_by_hand_is_waited_for(context: Context) -> None:
    target = context.archive()
    target.publish(passed(context.built()))
    (context.root / "archive/db/lockfile").touch()
    by_hand = subprocess.Popen(
        ["reprepro", "5"], executable="/bin/sleep", cwd=context.root / "archive"
    )
    try:
        with pytest.raises(Busy, match=str(by_hand.pid)):
            target.publish(passed(context.built(upstream="1.1")))
    finally:
        by_hand.kill()
        by_hand.wait()
    target.confirm(target.publish(passed(context.built(upstream="1.1"))))


def test_a_changed_pool_file_is_noticed_by_apt_or_by_us(context: Context) -> None:
    target = context.archive()
    receipt = target.publish(passed(context.built()))
    deb = next((context.root / "archive/pool").rglob("*.deb"))
    content = deb.read_bytes()
    deb.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    with pytest.raises(Held):
        target.confirm(receipt)


def test_an_index_signed_by_another_key_is_not_confirmed(context: Context) -> None:
    target = context.archive()
    receipt = target.publish(passed(context.built()))
    (other := SigningHome(context.root / "other")).ensure_key("Somebody <else@localhost>")
    conf = context.root / "archive/conf/distributions"
    promise = target.keys.promised()
    assert promise is not None
    conf.write_text(conf.read_text().replace(promise.signing[0], other.usable_key()))
    with other.opened() as env:
        words = ["reprepro", "--silent", "-b", str(context.root / "archive"), "export"]
        subprocess.run(words, env={**os.environ, **env}, check=True)
    with pytest.raises(Unverified):
        context.archive().confirm(receipt)


def test_a_web_server_that_is_down_is_unreachable(context: Context) -> None:
    target = context.archive(Local(url="http://127.0.0.1:9/"))
    receipt = target.publish(passed(context.built()))
    assert receipt.where == "http://127.0.0.1:9/"
    with pytest.raises(Unreachable):
        target.confirm(receipt)


def test_over_a_web_server_the_same_bytes_are_served(context: Context) -> None:
    target = context.archive()
    target.publish(passed(context.built()))
    server = subprocess.Popen(
        [sys.executable, "-m", "http.server", "--bind", "127.0.0.1", "0"],
        cwd=context.root / "archive",
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    try:
        assert server.stdout
        port = server.stdout.readline().split(b"port ")[1].split()[0].decode()
        served = context.archive(Local(url=f"http://127.0.0.1:{port}/"))
        confirmed = served.confirm(served.publish(passed(context.built())))
        assert f":{port}/" in confirmed.statement
    finally:
        server.kill()
        server.communicate()


def test_indices_are_shown_in_one_step(context: Context) -> None:
    """A reader that holds the old folder's name open meets no mixture: the link is turned."""
    target = context.archive()
    target.publish(passed(context.built()))
    before = (context.root / "archive/current").readlink()
    target.publish(passed(context.built(upstream="1.1")))
    after = (context.root / "archive/current").readlink()
    assert before != after
    assert [path.name for path in (context.root / "archive/.generations").iterdir()] == [after.name]


def test_open_target_knows_its_table_and_nothing_else(context: Context) -> None:
    config = Config(file=context.root / "f", state=context.root / "state", tool_folders=())
    clock = SystemClock()
    with closing(open_http(config, clock)) as http:
        target = open_target("local", config, context.store, context.workshop, clock, http)
        target.confirm(target.publish(passed(context.built())))
        assert (context.root / "state/gnupg").is_dir()
        assert (context.root / "state/archive/dists/bookworm/InRelease").exists()
        with pytest.raises(SetupError, match="elsewhere") as caught:
            open_target("elsewhere", config, context.store, context.workshop, clock, http)
    assert all(name in str(caught.value) for name in TARGETS)


def start(context: Context, built: Built) -> subprocess.Popen[bytes]:
    """Publish in a process of its own that can be killed."""
    import pickle

    item = context.root / "item.pickle"
    item.write_bytes(pickle.dumps(built))
    return subprocess.Popen(
        [sys.executable, "-c", PUBLISHER, str(context.root), str(item)],
        cwd=Path(__file__).parents[2],
        env={**os.environ, MARK: str(context.root)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


@pytest.mark.slow
def test_after_a_kill_at_any_moment_the_next_run_ends_as_an_undisturbed_one(
    context: Context, tmp_path: Path
) -> None:
    """SIGKILL at random moments: never a torn archive, and the same end as without a kill."""
    first, second = context.built(), context.built(upstream="1.1")
    archive = context.root / "archive"
    context.archive().publish(passed(first))
    shutil.copytree(archive, context.root / "pristine", symlinks=True)
    process = start(context, second)
    began = when_changing(archive, process)
    assert process.wait() == 0
    whole = time.monotonic() - began
    wanted_indices, wanted_pool = indices(archive), pool(archive)
    chance = random.Random(20_231_114)
    reached: set[str] = set()
    for number in range(3 * KILLS):
        if number >= KILLS and len(reached) > 2:
            break  # a machine that became slower meanwhile needs later moments
        shutil.rmtree(archive)
        shutil.copytree(context.root / "pristine", archive, symlinks=True)
        process = start(context, second)
        when_changing(archive, process)
        slower, share = 1 + number // KILLS, (number % KILLS + chance.random()) / KILLS
        time.sleep(slower * whole * share)
        process.send_signal(signal.SIGKILL)
        process.wait()
        end_survivors(context.root)
        assert index.newest(archive, "tiny-tool", "bookworm") in (
            first.source.version,
            second.source.version,
        )
        reached.add(trace(archive, second))
        target = context.archive()
        target.confirm(target.publish(passed(second)))
        assert indices(archive) == wanted_indices, number
        assert pool(archive) == wanted_pool, number
        assert len(list((archive / ".generations").iterdir())) == 1
        assert not (archive / "db/lockfile").exists()
    assert len(reached) > 2, reached


def when_changing(archive: Path, process: subprocess.Popen[bytes]) -> float:
    """Return when the process begins to change the archive; before that a kill is no test."""
    while len(list((archive / ".generations").iterdir())) == 1:
        assert process.poll() is None
        time.sleep(0.002)
    return time.monotonic()


def trace(archive: Path, built: Built) -> str:
    """Say how far a killed run came."""
    if index.newest(archive, "tiny-tool", "bookworm") == built.source.version:
        return "shown"
    if len(list((archive / ".generations").iterdir())) == 1:
        return "before"
    return "exporting" if any((archive / "pool").rglob("*_1.1-*.deb")) else "including"


def test_what_a_killed_run_left_in_the_pool_is_no_obstacle(context: Context) -> None:
    """Half a file under the name of the one that comes: known to no database, so removed."""
    target = context.archive()
    target.publish(passed(context.built()))
    second = context.built(upstream="1.1")
    (context.root / "archive/.generations/abandoned/db").mkdir(parents=True)
    torn = context.root / "archive/pool/main/t/tiny-tool" / second.debs[0].name
    torn.write_bytes(b"half")
    target.confirm(target.publish(passed(second)))


def test_a_receipt_of_a_forged_deb_is_replaced(context: Context) -> None:
    target = context.archive()
    built = context.built()
    receipt = target.publish(passed(built))
    files = tuple(
        replace(b, size=b.size, sha256=b.sha256[::-1]) if b.name.endswith(".dsc") else b
        for b in built.files
    )
    with pytest.raises(Replaced):
        target.confirm(replace(receipt, item=passed(replace(built, files=files))))
