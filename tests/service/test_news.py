"""News told from noise: what waits, what is ignored, what was withdrawn, what only rolled off."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.servers.web import Web
from tests.support.keys import BEFORE, throwaway_keys
from tests.support.rig import Rig
from tests.support.tiny import publish, write_tool
from tests.support.watching import Watcher, tool_with, versions
from toolsync.config.definition import Watch
from toolsync.journal.results import Result
from toolsync.model.errors import Drifted
from toolsync.model.release import Release
from toolsync.pipeline.eligible import Sifted, sift
from toolsync.pipeline.status import candidates, standing

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
NOTHING: Mapping[str, Result] = {}


@pytest.fixture
def upstream() -> Iterator[Watcher]:
    with Watcher() as watcher:
        yield watcher


def release(version: str, published: str = "", **more: Any) -> Release:
    return Release(
        tool="t", version=version, raw_version=f"v{version}", url=f"http://h/{version}.zip",
        filename=f"{version}.zip", page="http://h/", published=published, **more,
    )  # fmt: skip


def stand(sifted: Sifted, current: str | None, *, recalled: str = "", **watch: Any) -> Any:
    watch = {"kind": "html", **watch}
    return standing(
        tool_with(**watch),
        sifted,
        current=current,
        accepted={},
        held=NOTHING,
        rejected={},
        recalled=recalled,
    )


def sifted(*names: str, firsts: Mapping[str, str] | None = None, **watch: Any) -> Sifted:
    return sift(Watch(kind="html", **watch), [release(n) for n in names], firsts or {}, lambda: NOW)


def test_a_young_release_waits_and_an_older_one_may_be_taken() -> None:
    firsts = {"1.2": "2026-11-20T12:00:00Z", "1.1": "2026-11-01T12:00:00Z"}
    found = sifted("1.2", "1.1", "1.0", firsts=firsts | {"1.0": "2020-01-01"}, min_age=3)
    assert [r.version for r in found.takeable] == ["1.1", "1.0"]
    assert candidates(found.takeable, "1.0", 1)[-1].version == "1.1"
    assert stand(found, "1.0").message == "1.1 is new; 1.0 is published"
    settled = stand(found, "1.1")
    assert (settled.status, settled.newest) == ("up-to-date", "1.2")
    assert "1.2 is taken from 2026-11-23 12:00 UTC on" in settled.message


def test_the_first_release_waits_too_and_is_news() -> None:
    found = sifted("1.0", min_age=0.5)
    assert (found.takeable, stand(found, None).status) == ((), "new")
    assert "taken from 2026-11-22 00:00 UTC on" in stand(found, None).message


@pytest.mark.parametrize(
    ("since", "taken"),
    [("2026-11-18T11:00:00Z", True), ("2026-11-18T13:00:00Z", False), ("2099-01-01", False),
     ("never", False), ("", False)],
)  # fmt: skip
def test_the_age_that_counts(since: str, taken: bool) -> None:
    assert bool(sifted("1.0", firsts={"1.0": since}, min_age=3).takeable) is taken


@pytest.mark.parametrize("spelling", ["1.2", "v1.2"])
def test_an_ignored_version_is_never_taken_and_says_why(spelling: str) -> None:
    ignore = {spelling: "breaks our proxies"}
    found = sifted("1.2", "1.1", ignore=ignore)
    assert [r.version for r in found.takeable] == ["1.1"]
    outcome = stand(found, "1.1", ignore=ignore)
    assert (outcome.status, outcome.message) == (
        "up-to-date",
        "1.1 is published; 1.2 is ignored: breaks our proxies",
    )
    only = sifted("1.2", ignore=ignore)
    assert stand(only, None, ignore=ignore).status == "up-to-date"
    assert stand(sifted("1.3", "1.2", ignore=ignore), "1.1", ignore=ignore).status == "new"


def test_a_withdrawn_version_is_recalled_until_somebody_says_so() -> None:
    back = sifted("1.1", "1.0")
    assert stand(back, "1.2").status == "recalled"
    assert stand(back, None, recalled="1.2").status == "recalled"
    assert "was there before" in stand(back, "1.1", recalled="1.2").message
    known = {"1.2": "withdrawn"}
    assert stand(back, "1.2", ignore=known).status == "up-to-date"
    assert stand(back, "1.0", recalled="1.2", ignore=known).status == "new"


def test_a_published_version_that_left_as_a_newer_came_is_no_recall() -> None:
    assert stand(sifted("1.3", "1.0"), "1.2").status == "new"
    ignoring = {"1.3": "no"}
    assert (
        stand(sifted("1.3", "1.0", ignore=ignoring), "1.2", ignore=ignoring).status == "up-to-date"
    )


def test_a_series_that_the_published_version_is_not_of_is_no_recall() -> None:
    assert stand(sifted("1.5.9"), "2.0", branch="1.5").status == "up-to-date"


TEN = [f"1.0.{n}" for n in range(20, 10, -1)]


def feed(*entries: tuple[str, str]) -> str:
    items = "".join(
        f"<item><title>x</title><link>http://h/hello-{v}.tar.gz</link>"
        f"<pubDate>{day} Nov 2026 00:00:00 GMT</pubDate></item>"
        for v, day in entries
    )
    return f"<rss><channel>{items}</channel></rss>"


def look(upstream: Watcher, body: str, remembered: Any = None, **watch: Any) -> Any:
    upstream.web.serve("/", body)
    watch = {"kind": "html", "pattern": r"hello-(?P<version>[\w.]+)\.tar\.gz"} | watch
    return upstream.look(remembered=remembered, **watch)


def links(*names: str) -> str:
    return "".join(f'<a href="hello-{name}.tar.gz">x</a>' for name in names)


def test_a_release_that_rolled_off_a_feed_was_not_withdrawn(upstream: Watcher) -> None:
    first = look(upstream, feed(("2.0", "01"), ("1.0.1", "02")), kind="feed")
    later = look(upstream, feed(("1.0.3", "04"), ("1.0.2", "03")), first, kind="feed")
    assert (later.newest.version, later.recalled) == ("1.0.3", "")
    gone = look(upstream, feed(("1.0.3", "04"), ("1.0.0", "01")), first, kind="feed")
    assert gone.recalled == ""  # of the same day: nothing tells that it should still be there
    gone = look(upstream, feed(("1.0.2", "03"), ("0.9", "01")), first, kind="feed")
    assert gone.recalled == ""


def test_a_release_that_left_a_feed_before_older_ones_was_withdrawn(upstream: Watcher) -> None:
    first = look(upstream, feed(("2.0", "03"), ("1.0.2", "02"), ("1.0.1", "01")), kind="feed")
    gone = look(upstream, feed(("1.0.2", "02"), ("1.0.1", "01")), first, kind="feed")
    assert gone.recalled == "2.0"
    still = look(upstream, feed(("1.0.3", "04"), ("1.0.2", "02")), gone, kind="feed")
    assert still.recalled == "2.0"
    again = look(upstream, feed(("2.0.1", "05"), ("1.0.3", "04")), still, kind="feed")
    assert again.recalled == ""


def test_a_list_of_the_latest_without_dates_counts(upstream: Watcher) -> None:
    first = look(upstream, links("2.0", "1.1"), lists="latest")
    assert look(upstream, links("1.2", "1.1"), first, lists="latest").recalled == ""
    assert look(upstream, links("1.1"), first, lists="latest").recalled == "2.0"


def test_a_list_of_the_latest_may_hold_none_that_counts(upstream: Watcher) -> None:
    first = look(upstream, feed(("1.5.1", "01"), ("2.0", "02")), kind="feed", branch="1.5")
    assert versions(first) == ["1.5.1"]
    later = look(upstream, feed(("2.1", "03"), ("2.0", "02")), first, kind="feed", branch="1.5")
    assert (versions(later), later.changed) == (["1.5.1"], False)
    with pytest.raises(Drifted, match=r"not of the series 1\.5"):
        look(upstream, feed(("2.1", "03")), kind="feed", branch="1.5")


@pytest.mark.parametrize(
    ("series", "kept"),
    [("1.5", ["1.5.2", "1.5"]), ("1", ["1.50", "1.5.2", "1.5"]), ("1.5.", ["1.5.2"])],
)
def test_a_series(upstream: Watcher, series: str, kept: list[str]) -> None:
    page = links("1.5", "1.5.2", "1.50", "15.0", "2.0")
    assert versions(look(upstream, page, branch=series)) == kept


def test_far_fewer_files_are_drift_unless_there_is_news(upstream: Watcher) -> None:
    first = look(upstream, links(*TEN))
    with pytest.raises(Drifted, match="names 4 files or tags that match, but 10 before"):
        look(upstream, links(*TEN[:4]), first)
    with pytest.raises(Drifted):
        look(upstream, links(*TEN[6:]), first)
    assert look(upstream, links(*TEN[:5]), first).matched == 5
    assert look(upstream, links("1.1", "1.0.20"), first).newest.version == "1.1"
    assert look(upstream, links(*TEN[:1]), look(upstream, links(*TEN[:7]))).matched == 1
    few = look(upstream, links(*TEN), lists="latest")
    assert look(upstream, links(*TEN[:2]), few, lists="latest").matched == 2


def with_watch(folder: Path, line: str) -> None:
    path = folder / "tool.toml"
    path.write_text(path.read_text().replace("backlog = 1", f"backlog = 1\n{line}"))


def check(rig: Rig, status: int = 0) -> dict[str, Any]:
    (row,) = rig.json("check", "hello", status=status)
    answer: dict[str, Any] = row
    return answer


def test_a_recall_stays_through_the_command_line(rig: Rig, web: Web) -> None:
    folder = write_tool(rig.tools, web.url + "/dl/")
    publish(web, "1.0", "1.1")
    assert check(rig)["status"] == "new"
    publish(web, "1.0")
    for _ in range(2):
        row = check(rig, 3)
        assert (row["status"], row["newest"]) == ("recalled", "1.0")
    with_watch(folder, 'ignore = { "1.1" = "withdrawn" }')
    assert check(rig)["status"] == "new"
    publish(web, "1.0", "1.1", "1.2")
    assert check(rig)["newest"] == "1.2"


def test_a_cool_down_through_the_command_line(rig: Rig, web: Web) -> None:
    with_watch(write_tool(rig.tools, web.url + "/dl/"), "min_age = 2.5")
    publish(web, "1.0")
    row = check(rig)
    assert row["status"] == "new"
    assert "watch.min_age" in row["message"]
    assert rig.json("sync", "hello", "--dry-run")[0]["message"] == row["message"]


def test_a_git_tag_that_was_moved_is_replaced() -> None:
    before, moved = release("1.0", tag="v1", etag="1" * 40), release("1.0", tag="v1", etag="2" * 40)
    found = sift(Watch(kind="git"), [moved], {}, lambda: NOW)
    outcome = standing(
        tool_with(kind="git"),
        found,
        current="1.0",
        accepted={"1.0": before},
        held=NOTHING,
        rejected={},
    )
    assert (outcome.status, outcome.exit_status) == ("replaced", 3)


PROOF = """
[verify]
method = "openpgp"
signature = "{{url}}.asc"
keys = ["{key}"]
keys_url = "{url}/keys.asc"
"""


def test_a_key_that_is_about_to_end_is_told_ahead_of_time(rig: Rig, web: Web) -> None:
    today = datetime.now(UTC)
    with throwaway_keys() as keys:
        key = keys.make("Ours", expire=f"{today + timedelta(days=20):%Y-%m-%d}")
        folder = write_tool(rig.tools, web.url + "/dl/", toml=PROOF.format(key=key, url=web.url))
        keys.export(folder / "keys" / "ours.asc", key)
        web.serve("/keys.asc", (folder / "keys" / "ours.asc").read_bytes())
        publish(web, "1.0")
        row = check(rig)
        assert row["status"] == "new"
        assert len(row["warnings"]) == 1
        assert f"the key {key} ends on {today + timedelta(days=20):%Y-%m-%d}" in row["warnings"][0]

        keys.extend(key, expire="2099-01-01", at=BEFORE)
        web.serve("/keys.asc", keys.export(rig.root / "new.asc", key).read_bytes())
        warnings = check(rig)["warnings"]
        assert any(f"upstream has re-dated the key {key}: it ends 2099" in w for w in warnings)
        keys.export(folder / "keys" / "ours.asc", key)
        (told,) = check(rig)["warnings"]
        assert f"the key {key} was re-dated: it ends 2099" in told
        assert "key-re-dated" in rig.run("log", "hello").stdout


def test_fetch_takes_nothing_ignored_unless_it_is_named(rig: Rig, web: Web) -> None:
    folder = write_tool(rig.tools, web.url + "/dl/", "1.0", "1.1")
    with_watch(folder, 'ignore = { "1.1" = "broken", "1.0" = "old" }')
    publish(web, "1.0", "1.1")
    done = rig.run("fetch", "hello", "-o", rig.root / "o", status=2)
    assert "ignored or too young" in done.stderr
    found = rig.json("fetch", "hello", "--version", "1.1", "-o", rig.root / "o")
    assert found["version"] == "1.1"
