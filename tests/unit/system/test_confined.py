"""Work in a process of its own: its answers, its limits, and that nothing of it stays."""

from __future__ import annotations

import importlib
import os
import sys
import threading
import time
from pathlib import Path

import pytest

from toolsync.model.errors import Bug, Drifted, TooMuch
from toolsync.system.confined import confined

MB = 1024 * 1024


def children() -> set[str]:
    return set(Path(f"/proc/self/task/{os.getpid()}/children").read_text().split())


def test_an_answer_and_an_error_come_back() -> None:
    large = b"x" * (20 * MB)
    assert confined(lambda: large, what="it", seconds=60, memory=200 * MB) == large
    with pytest.raises(Drifted, match="no page"):
        confined(_drift, what="it", seconds=60, memory=200 * MB)
    with pytest.raises(Bug, match="ZeroDivisionError"):
        confined(lambda: 1 / 0, what="it", seconds=60, memory=200 * MB)


def _drift() -> None:
    raise Drifted("no page")


def test_what_takes_too_long_is_ended() -> None:
    start, before = time.monotonic(), children()
    with pytest.raises(TooMuch, match=r"counting was given up: it had not ended after 0\.3 s"):
        confined(_for_ever, what="counting", seconds=0.3, memory=200 * MB)
    assert time.monotonic() - start < 5
    assert children() == before


def _for_ever() -> None:
    while True:
        pass


def test_what_wants_too_much_memory_is_told() -> None:
    with pytest.raises(TooMuch, match="it wanted more than 64 MB of memory"):
        confined(lambda: len(bytearray(400 * MB)), what="it", seconds=60, memory=64 * MB)
    with pytest.raises(TooMuch, match="it wanted more than 64 MB of memory"):
        confined(lambda: [bytes(1000) for _ in range(10**7)], what="it", seconds=60, memory=64 * MB)


def test_what_dies_is_told() -> None:
    with pytest.raises(TooMuch, match="its process was ended by SIGABRT"):
        confined(os.abort, what="it", seconds=60, memory=200 * MB)
    with pytest.raises(TooMuch, match="its process ended with status 3"):
        confined(lambda: os._exit(3), what="it", seconds=60, memory=200 * MB)


def test_many_threads_may_ask_at_once() -> None:
    answers: list[int] = []

    def ask(number: int) -> None:
        answers.append(confined(lambda: number, what="it", seconds=60, memory=200 * MB))

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == list(range(16))


def test_a_module_that_another_thread_is_loading_is_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "slowly_loaded.py").write_text("import time\ntime.sleep(0.6)\nREADY = 1\n")
    monkeypatch.syspath_prepend(tmp_path)
    other = threading.Thread(target=importlib.import_module, args=("slowly_loaded",))
    other.start()
    while "slowly_loaded" not in sys.modules:
        time.sleep(0.01)
    ready = confined(
        lambda: importlib.import_module("slowly_loaded").READY,
        what="it",
        seconds=5,
        memory=200 * MB,
    )
    other.join()
    assert ready == 1
