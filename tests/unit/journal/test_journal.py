"""The journal: remembered results, the stages' order, an append-only log, one upload once."""

from __future__ import annotations

import sqlite3
from functools import partial
from pathlib import Path

import pytest

from toolsync.journal.journal import Journal
from toolsync.journal.records import Key
from toolsync.model.errors import GateClosed, Held, PackageFailed, SetupError, Unreachable
from toolsync.model.release import Blob, Fetched, Release, Unpacked, Verified, dump, load
from toolsync.pipeline.memory import Kept, Memory
from toolsync.system.clock import SystemClock
from toolsync.system.store import Store

RELEASE = Release(
    tool="t", version="1.0", raw_version="1.0", url="u", filename="f", page="p", size=3
)


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    found = Journal(tmp_path / "journal.sqlite", SystemClock())
    found.see("t", "1.0", dump(RELEASE))
    return found


@pytest.fixture
def memory(journal: Journal, tmp_path: Path) -> Memory:
    return Memory(journal, Store(tmp_path / "store"), SystemClock(), lambda event: None)


def key(stage: str, scope: str = "") -> Key:
    return Key(tool="t", version="1.0", stage=stage, scope=scope)


def test_a_value_survives_json() -> None:
    blob = Blob(name="f", sha256="0" * 64, size=3)
    fetched = Fetched(release=RELEASE, archive=blob, final_url="u", extras=(blob,))
    again = load(Fetched, dump(fetched, without="release"), release=RELEASE)
    assert again == fetched
    with pytest.raises(TypeError):
        load(Fetched, {**dump(fetched, without="release"), "final_url": 3}, release=RELEASE)


def test_a_stage_without_its_predecessor_is_refused(journal: Journal) -> None:
    with pytest.raises(AssertionError, match=r"verify of t 1\.0 without fetch"):
        journal.record(key("verify"), inputs="", outcome="done", started="")
    journal.record(key("fetch"), inputs="", outcome="held", started="")
    with pytest.raises(AssertionError):
        journal.record(key("verify"), inputs="", outcome="done", started="")


def test_a_release_that_no_page_named_is_refused(journal: Journal) -> None:
    with pytest.raises(AssertionError, match="without watch"):
        journal.record(
            Key(tool="t", version="9", stage="fetch"), inputs="", outcome="done", started=""
        )


def test_the_log_cannot_be_changed(journal: Journal, tmp_path: Path) -> None:
    journal.log(key("fetch"), "later", "no network")
    other = sqlite3.connect(tmp_path / "journal.sqlite")
    for statement in ("DELETE FROM log", "UPDATE log SET message = 'all was well'"):
        with pytest.raises(sqlite3.DatabaseError, match="append-only"):
            other.execute(statement)
    other.close()
    assert [entry.message for entry in journal.entries("t")] == ["no network"]


def test_the_first_accepted_digest_stays(journal: Journal) -> None:
    journal.accept("t", "1.0", "a" * 64)
    journal.accept("t", "1.0", "b" * 64)
    assert journal.accepted("t", "1.0") == "a" * 64


def test_a_claim_is_made_once_and_keeps_its_state(journal: Journal) -> None:
    row = {
        **dict.fromkeys(("target", "source", "version", "series", "tool"), "x"),
        **dict.fromkeys(("upstream", "content", "dsc"), "y"),
        "revision": 1,
    }
    journal.claim(row)
    upload = journal.upload("x", "x", "x", "x")
    assert upload is not None
    assert upload.state == "claimed"
    journal.advance(upload, "confirmed", "state")
    journal.claim(row)
    (only,) = journal.uploads("x")
    assert (only.state, only.served) == ("confirmed", "state")


def test_a_newer_journal_is_not_touched(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite"
    Journal(path, SystemClock()).close()
    with sqlite3.connect(path) as db:
        db.execute("PRAGMA user_version = 99")
    db.close()
    with pytest.raises(SetupError, match="newer than this toolsync understands"):
        Journal(path, SystemClock())


def test_garbage_in_its_place_is_told(tmp_path: Path) -> None:
    (tmp_path / "journal.sqlite").write_bytes(b"garbage " * 1000)
    with pytest.raises(SetupError, match="cannot be opened"):
        Journal(tmp_path / "journal.sqlite", SystemClock())


INPUTS: tuple[dict[str, object], ...] = ({"a": 1}, {"a": 1}, {"a": 2})
FETCHED: Kept[Release, Fetched] = Kept(name="fetch", rules=1, value=Fetched, wraps="release")


class TestMemory:
    def fetched(self, memory: Memory) -> Fetched:
        blob = memory.store.add_bytes(b"abc", "f")
        return Fetched(release=RELEASE, archive=blob, final_url="u")

    def test_unchanged_inputs_answer_from_the_journal(self, memory: Memory) -> None:
        made = []

        def act() -> Fetched:
            made.append(1)
            return self.fetched(memory)

        for inputs in INPUTS:
            value = memory.do(FETCHED, key("fetch"), RELEASE, partial(dict, inputs), act)
            assert value == self.fetched(memory)
        assert len(made) == 2

    def test_a_result_whose_files_are_gone_is_made_anew(self, memory: Memory) -> None:
        value = self.fetched(memory)
        memory.do(FETCHED, key("fetch"), RELEASE, dict, lambda: value)
        memory.store.path(value.archive).unlink()
        made = []
        memory.do(
            FETCHED,
            key("fetch"),
            RELEASE,
            dict,
            lambda: made.append(1) or self.fetched(memory),  # type: ignore[func-returns-value]
        )
        assert made

    def test_a_hold_is_kept_with_its_reason(self, memory: Memory) -> None:
        def act() -> Fetched:
            raise GateClosed("no", resolution="ask")

        with pytest.raises(GateClosed):
            memory.do(FETCHED, key("fetch"), RELEASE, dict, act)
        kept = memory.journal.result(key("fetch"))
        assert kept is not None
        assert (kept.outcome, kept.message, kept.resolution) == ("held", "no", "ask")

    def test_trouble_that_passes_is_logged_and_not_kept(self, memory: Memory) -> None:
        def act() -> Fetched:
            raise Unreachable("down")

        with pytest.raises(Unreachable):
            memory.do(FETCHED, key("fetch"), RELEASE, dict, act)
        assert memory.journal.result(key("fetch")) is None
        assert memory.journal.entries("t")[-1].event == "later"

    def test_what_the_machine_lacks_is_logged_so_that_why_can_tell(self, memory: Memory) -> None:
        def act() -> Fetched:
            raise SetupError("no debhelper here")

        with pytest.raises(SetupError):
            memory.do(FETCHED, key("fetch"), RELEASE, dict, act)
        assert memory.journal.result(key("fetch")) is None
        assert memory.journal.entries("t")[-1].event == "error"

    def test_a_failed_build_waits_until_something_changes(self, memory: Memory) -> None:
        for stage in ("fetch", "verify", "unpack", "license"):
            memory.journal.record(key(stage), inputs="", outcome="done", started="")
        memory.journal.record(key("package", "s"), inputs="", outcome="done", started="")
        tried = []
        costly: Kept[Verified, Unpacked] = Kept(
            name="build", rules=1, value=Unpacked, wraps="verified", costly=True
        )
        fetched = self.fetched(memory)
        verified = Verified(fetched=fetched, method="pins", statement="s")

        def act() -> Unpacked:
            tried.append(1)
            raise PackageFailed("it does not compile")

        for inputs in INPUTS:
            with pytest.raises(Held, match="does not compile"):
                memory.do(costly, key("build", "s"), verified, partial(dict, inputs), act)
        assert len(tried) == 2


def test_every_wrapper_knows_its_release(memory: Memory) -> None:
    blob = Blob(name="f", sha256="0" * 64, size=3)
    fetched = Fetched(release=RELEASE, archive=blob, final_url="u")
    verified = Verified(fetched=fetched, method="pins", statement="s")
    assert Unpacked(verified=verified, orig=blob, untouched=True, members=1).release is RELEASE
