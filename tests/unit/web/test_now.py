"""What runs now, from other processes of the state, live and without script; and health."""

from __future__ import annotations

import json
import os
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.support.served import Site
from toolsync.journal.keydates import KeyDate
from toolsync.journal.runs import RunRow
from toolsync.system import underway
from toolsync.system.board import Board, running
from toolsync.web.health import Gap, disks, gaps

EVIL = "<script>alert(1)</script>'\"><img src=x onerror=alert(2)>\x1b[2J\u202egnp.exe"


@pytest.fixture
def read(site: Site) -> Site:
    site.log_in(role="reader")
    return site


def board(site: Site) -> Board:
    return Board(site.folder / "state", "sync")


def test_what_another_process_does_is_shown_with_its_log(read: Site, tmp_path: Path) -> None:
    assert "Nothing runs just now." in read.get("/now").text
    log = tmp_path / "build.log"
    log.write_text("first\n" * 5000 + EVIL + "\n")
    with underway.step("hello 1.0: build [bookworm/1]") as step:
        step.log = log
        here = board(read)
        here.tell(underway.steps())
        page = read.get("/now").text
        found = json.loads(read.get("/api/v1/now").text)
    assert "hello 1.0: build [bookworm/1]" in page
    assert f"process {os.getpid()}" in page
    assert "&lt;script&gt;alert(1)" in page
    for sign in ("<img", "<script>", "\x1b", "\u202e"):
        assert sign not in page
    (step_,) = found["processes"][0]["steps"]
    assert (step_["label"], found["processes"][0]["purpose"]) == (
        "hello 1.0: build [bookworm/1]",
        "sync",
    )
    here.close()
    assert "Nothing runs just now." in read.get("/now").text


def test_what_a_killed_process_has_left_is_not_believed(read: Site) -> None:
    here = board(read)
    here.tell([])
    state = read.folder / "state"
    (file,) = (state / "now").iterdir()
    left = json.loads(file.read_text())
    for name, change in (("1", {"began": "1"}), ("2", {"pid": 4_000_000}), ("3", {"pid": "x"})):
        (state / "now" / f"{name}.json").write_text(json.dumps(left | change))
    (state / "now" / "4.json").write_text("[" * 100_000)
    assert [process.pid for process in running(state)] == [os.getpid()]
    here.close()
    assert list((state / "now").iterdir()) == []


def test_events_come_as_they_happen_and_only_so_many_listen(read: Site) -> None:
    answers = [read.browser.get("/now/events") for _ in range(4)]
    assert read.browser.get("/now/events").status_code == 503
    for answer in answers[1:]:
        answer.close()
    stream = answers[0].iter_encoded()
    assert next(iter(stream)) == b"retry: 2000\n\n"
    first = json.loads(next(stream).removeprefix(b"data: "))
    assert "Nothing runs" in first
    with underway.step("awscli 2: compat"):
        begun = time.monotonic()
        second = json.loads(next(stream).removeprefix(b"data: "))
        assert time.monotonic() - begun < 3
    assert "awscli 2: compat" in second
    question = {"act": "promote", "tool": "awscli", "version": "1", "who": "ann (web)"}
    read.shared.errands.ask(question)
    assert "Promote: awscli 1" in json.loads(next(stream).removeprefix(b"data: "))
    answers[0].close()
    assert answers[0].content_type.startswith("text/event-stream")
    again = read.browser.get("/now/events")
    assert again.status_code == 200
    again.close()


def test_health_tells_of_disks_runs_keys_and_what_the_doctor_says(read: Site) -> None:
    now = datetime.now(UTC)
    soon = (now + timedelta(days=20)).strftime("%Y-%m-%dT%H:%M:%SZ")
    journal = read.journal()
    dates = [KeyDate(fingerprint="AB" * 20, primary="AB" * 20, ends=soon)]
    journal.keydates.keep("awscli", dates)
    journal.runs.end(journal.runs.begin(), 3)
    journal.close()
    for _ in range(20):
        page = read.get("/health").text
        if "checks that are fine" in page:
            break
    assert "program dpkg" in page
    assert "AB" * 20 in page
    assert "No run is missing among the last 1" in page
    assert "<meter" in page
    assert "something waits for a person" in read.get("/now").text


def test_times_without_a_run_are_told() -> None:
    def run(day: int, *, ended: bool = True) -> RunRow:
        at = f"2026-03-{day:02}T10:00:00Z"
        return RunRow(id=day, started=at, finished=at if ended else "", exit_status=0)

    now = datetime(2026, 3, 20, tzinfo=UTC)
    found = gaps([run(15), run(14, ended=False), run(9), run(8)], now, timedelta(days=3))
    assert found == [
        Gap(since="2026-03-15T10:00:00Z", until=""),
        Gap(since="2026-03-09T10:00:00Z", until="2026-03-15T10:00:00Z"),
    ]
    assert gaps([run(19)], now, timedelta(days=3)) == []


def test_a_disk_is_told_once(site: Site) -> None:
    found = disks(site.load())
    assert sum(disk.what.count("state") for disk in found) == 1
    assert all(0 <= disk.used <= 100 for disk in found)
