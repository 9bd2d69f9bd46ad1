"""Fences: what a block of a thread says is asked, innermost last, and nothing of another's."""

from __future__ import annotations

import threading

import pytest

from toolsync.model.errors import Busy
from toolsync.system import fence


def lost() -> None:
    raise Busy("lost")


def test_what_a_block_says_is_asked_within_it_and_only_there() -> None:
    asked: list[str] = []
    fence.require()
    with fence.fenced(lambda: asked.append("outer")):
        fence.require()
        with fence.fenced(lambda: asked.append("inner")):
            fence.require()
        fence.require()
    fence.require()
    assert asked == ["outer", "outer", "inner", "outer"]


def test_another_thread_is_not_asked() -> None:
    said: list[str] = []

    def ask() -> None:
        fence.require()
        said.append("nothing")

    with fence.fenced(lost):
        thread = threading.Thread(target=ask)
        thread.start()
        thread.join()
        with pytest.raises(Busy, match="lost"):
            fence.require()
    assert said == ["nothing"]
