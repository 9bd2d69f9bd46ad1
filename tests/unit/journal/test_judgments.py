"""Judgments: what this version cannot read was never said."""

from __future__ import annotations

from dataclasses import replace

from toolsync.journal.journal import Journal
from toolsync.journal.key import Key
from toolsync.model.judgment import Judgment

KEY = Key(tool="t", version="1.0", stage="license")


def test_the_last_judgment_is_kept_with_its_inputs(journal: Journal, said: Judgment) -> None:
    assert journal.judgments.get(KEY) is None
    journal.judgments.keep(KEY, "before", replace(said, summary="x"))
    journal.judgments.keep(KEY, "now", said)
    kept = journal.judgments.get(KEY)
    assert kept is not None
    assert (kept.key, kept.inputs, kept.judgment) == (KEY, "now", said)


def test_what_another_version_wrote_was_never_said(journal: Journal, said: Judgment) -> None:
    journal.judgments.keep(KEY, "", said)
    journal.database.write("""UPDATE judgment SET data = '{"verdict": "maybe", "new": 3}'""")
    assert journal.judgments.get(KEY) is None
    journal.database.write("UPDATE judgment SET data = '{'")
    assert journal.judgments.get(KEY) is None


def test_those_of_a_release_come_in_the_gates_order_then_by_series(
    journal: Journal, said: Judgment
) -> None:
    keys = [KEY, *(replace(KEY, stage="compat", scope=scope) for scope in ("a/1", "b/1"))]
    for key in reversed(keys):
        journal.judgments.keep(key, "", replace(said, stage=key.stage, subject=key.scope))
    journal.judgments.keep(replace(KEY, version="1.1"), "", said)
    assert [kept.key for kept in journal.judgments.of_release("t", "1.0")] == keys
    kept = journal.judgments.get(keys[2])
    assert kept is not None
    assert kept.judgment.subject == "b/1"
