"""An instance that stays with what an archive served at a moment, as long as that is kept."""

from __future__ import annotations

import shutil
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.service.test_archive_formats import offer
from tests.service.test_damage import flip
from tests.support.clock import DrivenClock
from tests.support.tiny_packages import Context, passed
from toolsync.config.settings import Local
from toolsync.model.errors import Damaged, UsageError
from toolsync.publish import snapshots
from toolsync.publish.local import LocalArchive
from toolsync.publish.served import look
from toolsync.system.run import run

DAY = 24 * 3600
KEPT = Local(snapshot_days=10, valid_days=5)


@pytest.fixture
def context(tmp_path: Path) -> Context:
    made = Context(tmp_path)
    made.clock = DrivenClock(datetime.now(UTC))
    return made


def got(target: LocalArchive, stanza: str, folder: Path) -> list[str]:
    """Return the packages that an instance with this stanza downloads with plain apt."""
    folder.mkdir()
    env = look(replace(offer(target), stanza=stanza), folder)
    (folder / "got").mkdir()
    run("apt-get", "-q", "download", "tiny-tool", env=env, cwd=folder / "got", timeout=60)
    return [path.name for path in (folder / "got").glob("*.deb")]


def test_an_instance_stays_with_what_was_served_at_a_moment(
    context: Context, tmp_path: Path
) -> None:
    target, clock = context.archive(KEPT), context.clock
    start = clock.now()
    target.publish(passed(context.built()))
    clock.sleep(DAY)
    target.publish(passed(context.built(upstream="1.1")))
    for old in target.superseded():
        target.forget(old)
    assert not list((context.root / "archive/pool").rglob("tiny-tool_1.0-*.deb"))
    then = target.stanza_at("bookworm", start + timedelta(hours=1))
    assert [name[:13] for name in got(target, then, tmp_path / "then")] == ["tiny-tool_1.0"]
    now = target.stanza_at("bookworm", clock.now())
    assert [name[:13] for name in got(target, now, tmp_path / "now")] == ["tiny-tool_1.1"]
    assert "Check-Valid-Until: no" in then
    with pytest.raises(UsageError, match="the oldest is of"):
        target.stanza_at("bookworm", start - timedelta(hours=1))
    with pytest.raises(UsageError, match="nothing for trixie"):
        target.stanza_at("trixie", clock.now())


def test_each_change_is_kept_once_and_for_its_days(context: Context) -> None:
    """A day's signature is no change; a snapshot's days count from the one that followed it."""
    root, clock = context.root / "archive", context.clock
    context.archive(KEPT).publish(passed(context.built()))
    clock.sleep(2 * DAY)
    context.archive(KEPT).settle()
    assert len(snapshots.kept(root)) == 1
    context.archive(KEPT).publish(passed(context.built(upstream="1.1")))
    first, second = snapshots.kept(root)
    (root / "snapshots/.new").mkdir()  # as after a kill
    clock.sleep(9 * DAY)
    context.archive(KEPT).settle()
    assert snapshots.kept(root) == [first, second]
    clock.sleep(2 * DAY)
    context.archive(KEPT).settle()
    assert snapshots.kept(root) == [second]
    names = {path.name[:13] for path in (root / "snapshots/pool").rglob("tiny-tool_*.deb")}
    assert names == {"tiny-tool_1.1"}
    context.archive(Local()).settle()
    assert snapshots.kept(root) == []
    assert not list((root / "snapshots").rglob("*.deb"))


def test_a_damaged_snapshot_is_told_and_mended_or_goes(context: Context) -> None:
    root = context.root / "archive"
    target = context.archive(KEPT)
    target.publish(passed(context.built()))
    context.clock.sleep(DAY)
    target.publish(passed(context.built(upstream="1.1")))
    assert "as they were signed" in target.examine()
    for old in target.superseded():
        target.forget(old)
    first, second = snapshots.kept(root)
    for version in ("1.0", "1.1"):
        (deb,) = (root / "snapshots/pool").rglob(f"tiny-tool_{version}-*.deb")
        shutil.copy(deb, copy := deb.with_name("copy"))
        copy.replace(deb)  # a file of its own, as on a disk without hard links
        flip(deb)
    with pytest.raises(Damaged, match=first.name):
        target.examine()
    told = snapshots.mend(root)
    assert [first.name in told[0], "removed" in told[0]] == [True, True]
    assert [second.name in told[1], "taken from" in told[1]] == [True, True]
    assert snapshots.kept(root) == [second]
    target.examine()
