"""Very many tools are shared among processes: nothing is lost, doubled, or asked for too often."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import NoReturn

import pytest

from tests.servers.web import Answer, Asked, Web
from tests.support.rig import Rig
from tests.support.tiny import write_tool
from toolsync.config.settings import Config
from toolsync.model.errors import FINE, Bug, ProgramFailed, Unreachable
from toolsync.model.release import Outcome
from toolsync.pipeline.workers import processes_for, shared
from toolsync.setup.settings import load_config
from toolsync.system.forks import side_by_side

CPUS = len(os.sched_getaffinity(0))


@pytest.fixture
def config(tmp_path: Path) -> Config:
    rig = Rig(tmp_path)
    return replace(load_config(rig.file, rig.state), jobs=64, per_host=8)


def outcome(name: str) -> Outcome:
    return Outcome(
        tool=name, status="new", current=None, newest="1", url=None, message=f"by {os.getpid()}"
    )


def test_answers_come_in_order_from_processes_of_their_own() -> None:
    answers = side_by_side([lambda n=n: (n, os.getpid()) for n in range(4)])  # type: ignore[misc]
    numbers, pids = zip(*answers, strict=True)
    assert numbers == (0, 1, 2, 3)
    assert pids[0] == os.getpid()
    assert len(set(pids)) == 4


def test_each_keeps_to_a_processor_of_its_own_until_the_end() -> None:
    usable = os.sched_getaffinity(0)
    places = side_by_side([lambda: os.sched_getaffinity(0)] * CPUS)
    assert sorted(map(sorted, places)) == [[it] for it in sorted(usable)]  # type: ignore[arg-type]
    assert os.sched_getaffinity(0) == usable
    with pytest.raises(Unreachable):
        side_by_side([fail_here, os.getpid])
    assert os.sched_getaffinity(0) == usable


def fail_here() -> NoReturn:
    raise Unreachable("nobody is there", resolution="Wait.")


def test_a_process_that_dies_is_told_in_the_place_of_its_answer() -> None:
    answers = side_by_side([os.getpid, lambda: os.kill(os.getpid(), signal.SIGKILL), os.getpid])
    assert isinstance(answers[1], ProgramFailed)
    assert "SIGKILL" in str(answers[1])
    assert answers[1].resolution
    assert isinstance(answers[2], int)


def test_what_is_raised_elsewhere_is_raised_here_whole() -> None:
    with pytest.raises(Unreachable, match="nobody is there") as caught:
        side_by_side([lambda: 1, fail_here])
    assert caught.value.resolution == "Wait."


class Odd(Exception):
    """One that does not survive the way from another process."""

    def __init__(self, what: str, more: str) -> None:
        super().__init__(f"{what}, {more}")


def test_what_cannot_be_sent_as_it_is_comes_in_words() -> None:
    def fail() -> NoReturn:
        raise Odd("strange", "and rare")

    with pytest.raises(Bug, match="Odd: strange, and rare"):
        side_by_side([lambda: 1, fail])


def test_nobody_goes_on_when_this_process_gives_up(tmp_path: Path) -> None:
    def linger() -> None:
        (tmp_path / "pid").write_text(str(os.getpid()))
        time.sleep(600)

    def fail() -> NoReturn:
        while not (tmp_path / "pid").exists():
            time.sleep(0.01)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        side_by_side([fail, linger])
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "pid").read_text()), 0)


def test_few_tools_and_pauses_are_for_one_process(config: Config) -> None:
    assert processes_for(config, 100) == 1
    assert processes_for(config, 100_000) == min(CPUS, 8)
    assert processes_for(replace(config, interval=1.0), 100_000) == 1
    assert processes_for(replace(config, per_host=1), 100_000) == 1
    assert processes_for(replace(config, jobs=8), 100_000) == 1


def test_the_limits_hold_for_all_processes_together(config: Config) -> None:
    names = [f"tool{n:04}" for n in range(900)]
    count = processes_for(config, len(names))
    limits = set()

    def check(part: Config, share: Mapping[str, Path]) -> list[Outcome]:
        limits.add((part.jobs * count <= config.jobs, part.per_host * count <= config.per_host))
        return [outcome(name) for name in share]

    found = shared(config, dict.fromkeys(names, Path()), check)
    assert [it.tool for it in found] == names
    assert len({it.message for it in found}) == count
    assert limits == {(True, True)}


@pytest.mark.skipif(CPUS < 2, reason="one processor: there is no other process")
def test_a_lost_share_is_an_error_of_each_of_its_tools(config: Config) -> None:
    names, here = [f"tool{n:04}" for n in range(900)], os.getpid()

    def check(part: Config, share: Mapping[str, Path]) -> list[Outcome]:
        if os.getpid() != here:
            os.kill(os.getpid(), signal.SIGKILL)
        return [outcome(name) for name in share]

    found = shared(config, dict.fromkeys(names, Path()), check)
    assert [it.tool for it in found] == names
    lost = [it for it in found if it.status == "error"]
    assert lost
    assert len(lost) == 900 - len([it for it in found if it.status == "new"])
    assert all(it.exit_status != FINE and "SIGKILL" in it.message for it in lost)


def crowd(most: list[int]) -> Callable[[Asked], Answer]:
    """Answer any page, and note how many are asked for at once."""
    lock, busy = threading.Lock(), [0]

    def answer(asked: Asked) -> Answer:
        with lock:
            busy[0] += 1
            most[0] = max(most[0], busy[0])
        time.sleep(0.005)
        with lock:
            busy[0] -= 1
        name = asked.path.strip("/")
        body = f'<a href="{name}-1.0.tar.gz">x</a><a href="{name}-1.1.tar.gz">x</a>'.encode()
        return Answer(body, 404 if "0007" in asked.path else 200, {"ETag": '"1"'})

    return answer


def test_a_check_of_very_many_tools_says_what_one_process_says(tmp_path: Path) -> None:
    rig, most = Rig(tmp_path), [0]
    with Web() as web:
        web.serve_rest(crowd(most))
        for n in range(420):
            name = f"tool{n:04}"
            write_tool(rig.tools, f"{web.url}/{name}/", "1.0", name=name)
        (rig.tools / "tool0003" / "tool.toml").write_text("summary = 3\n")
        names = [f"tool{n:04}" for n in range(420)]
        first = rig.json("check", "--jobs", "16", "--per-host", "4", *names, status=5)
        asked = len(web.asked)
        again = rig.json("check", "--jobs", "16", "--per-host", "4", *names, status=5)
    assert [row["tool"] for row in first] == names
    assert again == first
    assert most[0] <= 4
    assert asked == 419
    assert len(web.asked) == 2 * 419
    wanted = {"tool0003": "error", "tool0007": "unreachable"}
    assert all(row["status"] == wanted.get(row["tool"], "new") for row in first)
    assert all(row["newest"] == "1.1" for row in first if row["status"] == "new")
