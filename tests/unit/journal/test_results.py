"""Results: kept in the order of the stages, and refused out of it."""

from __future__ import annotations

import pytest

from toolsync.journal.journal import Journal
from toolsync.journal.key import Key


def key(stage: str, scope: str = "", version: str = "1.0") -> Key:
    return Key(tool="t", version=version, stage=stage, scope=scope)


def done(journal: Journal, stage: str, scope: str = "", outcome: str = "done", **more: str) -> None:
    given = {"inputs": "", "started": "", **more}
    journal.results.record(key(stage, scope), outcome=outcome, **given)  # type: ignore[arg-type]


def test_a_stage_without_its_predecessor_is_refused(journal: Journal) -> None:
    with pytest.raises(AssertionError, match=r"verify of t 1\.0 without fetch"):
        done(journal, "verify")
    done(journal, "fetch", outcome="held")
    with pytest.raises(AssertionError):
        done(journal, "verify")
    assert [entry.stage for entry in journal.log.of("t")] == ["fetch"]


def test_a_release_that_no_page_named_is_refused(journal: Journal) -> None:
    with pytest.raises(AssertionError, match="without watch"):
        journal.results.record(key("fetch", version="9"), inputs="", outcome="done", started="")


def test_results_come_in_the_order_of_the_stages(journal: Journal) -> None:
    for stage in ("fetch", "verify", "unpack", "license"):
        done(journal, stage)
    for scope in ("b/1", "a/1"):
        done(journal, "package", scope)
        done(journal, "build", scope)
    done(journal, "compat", "a/1")
    done(journal, "compat", "b/1", outcome="held", kind="GateClosed")
    done(journal, "fetch", started="2026-01-01T00:00:00Z")
    expected = ["fetch", "verify", "unpack", "license"]
    expected += ["package", "package", "build", "build", "compat", "compat"]
    assert [r.key.stage for r in journal.results.of_release("t", "1.0")] == expected
    assert journal.results.of("t") == journal.results.of_release("t", "1.0")
    assert [r.key.scope for r in journal.results.of("t")][4:] == ["a/1", "b/1"] * 3
    assert [r.kind for r in journal.results.holds("t", "1.0")] == ["GateClosed"]
    assert (journal.results.tools(), journal.results.cleared("t")) == (["t"], ["1.0"])
    assert [stage for stage, _, _ in journal.results.times()] == ["fetch"]


def test_a_result_is_replaced_and_each_is_logged(journal: Journal) -> None:
    done(journal, "fetch", outcome="held", message="no")
    done(journal, "fetch")
    kept = journal.results.get(key("fetch"))
    assert kept is not None
    assert (kept.outcome, kept.message) == ("done", "")
    assert [entry.event for entry in journal.log.of("t")] == ["held", "done"]
    assert journal.results.get(key("verify")) is None


def test_what_a_gate_holds_for_a_person_is_told_from_other_holds(journal: Journal) -> None:
    for stage in ("fetch", "verify", "unpack"):
        done(journal, stage)
    done(journal, "license", outcome="held", kind="Held")
    assert journal.results.held_by_gates("t") == []
    done(journal, "license", outcome="held", kind="GateClosed")
    assert journal.results.held_by_gates("t") == ["1.0"]


def test_the_holds_of_a_series_that_is_confirmed_are_dropped(journal: Journal) -> None:
    for stage in ("fetch", "verify", "unpack", "license"):
        done(journal, stage)
    for scope in ("noble/1", "jammy/1"):
        done(journal, "package", scope, outcome="held")
    journal.results.forget_holds("t", "1.0", "noble")
    assert [r.key.scope for r in journal.results.holds("t", "1.0")] == ["jammy/1"]


def test_a_further_architecture_is_a_build_of_the_same_packaging(journal: Journal) -> None:
    for stage in ("fetch", "verify", "unpack", "license"):
        done(journal, stage)
    done(journal, "package", "noble/1")
    done(journal, "build", "noble/1")
    done(journal, "build", "noble/1/i386", outcome="held")
    journal.results.forget_holds("t", "1.0", "noble", ["noble/1/i386"])
    assert [r.key.scope for r in journal.results.holds("t", "1.0")] == ["noble/1/i386"]
    assert journal.results.holds("t", "1.0")[0].key.place == ("noble", 1, "i386", "")
    journal.results.forget_holds("t", "1.0", "noble", ["noble/1/arm64"])
    assert journal.results.holds("t", "1.0") == []
