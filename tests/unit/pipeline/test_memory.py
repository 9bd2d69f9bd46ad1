"""The memory of stages: unchanged inputs answer from the journal, and what holds is kept."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from functools import partial
from pathlib import Path

import pytest

from toolsync.journal.journal import Journal
from toolsync.journal.key import Key
from toolsync.model.errors import GateClosed, Held, PackageFailed, SetupError, Unreachable
from toolsync.model.release import Fetched, Release, Unpacked, Verified, dump
from toolsync.pipeline.memory import Kept, Memory
from toolsync.system.clock import SystemClock
from toolsync.system.store import Store

RELEASE = Release(
    tool="t", version="1.0", raw_version="1.0", url="u", filename="f", page="p", size=3
)
INPUTS: tuple[dict[str, object], ...] = ({"a": 1}, {"a": 1}, {"a": 2})
FETCHED: Kept[Release, Fetched] = Kept(name="fetch", rules=1, value=Fetched, wraps="release")


@pytest.fixture
def memory(tmp_path: Path) -> Iterator[Memory]:
    with closing(Journal.open(tmp_path / "journal.sqlite", SystemClock())) as journal:
        journal.releases.see("t", "1.0", dump(RELEASE))
        yield Memory(journal, Store(tmp_path / "store"), SystemClock(), lambda event: None)


def key(stage: str, scope: str = "") -> Key:
    return Key(tool="t", version="1.0", stage=stage, scope=scope)


def fetched_by(memory: Memory) -> Fetched:
    blob = memory.store.add_bytes(b"abc", "f")
    return Fetched(release=RELEASE, archive=blob, final_url="u")


def test_unchanged_inputs_answer_from_the_journal(memory: Memory) -> None:
    made = []

    def act() -> Fetched:
        made.append(1)
        return fetched_by(memory)

    for inputs in INPUTS:
        value = memory.do(FETCHED, key("fetch"), RELEASE, partial(dict, inputs), act)
        assert value == fetched_by(memory)
    assert len(made) == 2


def test_a_result_whose_files_are_gone_is_made_anew(memory: Memory) -> None:
    value = fetched_by(memory)
    memory.do(FETCHED, key("fetch"), RELEASE, dict, lambda: value)
    memory.store.path(value.archive).unlink()
    made = []
    memory.do(
        FETCHED,
        key("fetch"),
        RELEASE,
        dict,
        lambda: made.append(1) or fetched_by(memory),  # type: ignore[func-returns-value]
    )
    assert made


def test_a_hold_is_kept_with_its_reason(memory: Memory) -> None:
    def act() -> Fetched:
        raise GateClosed("no", resolution="ask")

    with pytest.raises(GateClosed):
        memory.do(FETCHED, key("fetch"), RELEASE, dict, act)
    kept = memory.journal.results.get(key("fetch"))
    assert kept is not None
    assert (kept.outcome, kept.message, kept.resolution) == ("held", "no", "ask")


def test_trouble_that_passes_is_logged_and_not_kept(memory: Memory) -> None:
    def act() -> Fetched:
        raise Unreachable("down")

    with pytest.raises(Unreachable):
        memory.do(FETCHED, key("fetch"), RELEASE, dict, act)
    assert memory.journal.results.get(key("fetch")) is None
    assert memory.journal.log.of("t")[-1].event == "later"


def test_what_the_machine_lacks_is_logged_so_that_why_can_tell(memory: Memory) -> None:
    def act() -> Fetched:
        raise SetupError("no debhelper here")

    with pytest.raises(SetupError):
        memory.do(FETCHED, key("fetch"), RELEASE, dict, act)
    assert memory.journal.results.get(key("fetch")) is None
    assert memory.journal.log.of("t")[-1].event == "error"


def test_a_failed_build_waits_until_something_changes(memory: Memory) -> None:
    for stage in ("fetch", "verify", "unpack", "license"):
        memory.journal.results.record(key(stage), inputs="", outcome="done", started="")
    memory.journal.results.record(key("package", "s"), inputs="", outcome="done", started="")
    tried = []
    costly: Kept[Verified, Unpacked] = Kept(
        name="build", rules=1, value=Unpacked, wraps="verified", costly=True
    )
    fetched = fetched_by(memory)
    verified = Verified(fetched=fetched, method="pins", statement="s")

    def act() -> Unpacked:
        tried.append(1)
        raise PackageFailed("it does not compile")

    for inputs in INPUTS:
        with pytest.raises(Held, match="does not compile"):
            memory.do(costly, key("build", "s"), verified, partial(dict, inputs), act)
    assert len(tried) == 2
