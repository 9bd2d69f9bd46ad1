"""Rows: what the program did not write is told, and makes no value of a wrong type."""

from __future__ import annotations

import json

import pytest

from toolsync.journal.key import Key
from toolsync.journal.keydates import KeyDate
from toolsync.journal.rows import Row
from toolsync.journal.runs import RunRow
from toolsync.model.errors import SetupError

RUN = {"id": 1, "started": "x", "finished": "", "exit_status": 0}


def test_a_row_becomes_a_value_of_the_columns_of_its_fields() -> None:
    assert Row({**RUN, "other": 3}).read(RunRow) == RunRow(**RUN)  # type: ignore[arg-type]
    given = Row({"tool": "t", "version": "1", "stage": "fetch"}).read(Key, scope="s")
    assert given == Key(tool="t", version="1", stage="fetch", scope="s")


def test_a_column_may_be_empty_where_its_field_says_so() -> None:
    columns = dict.fromkeys(("fingerprint", "primary", "ends", "digest", "changed"), "x")
    assert Row({**columns, "before": None}).read(KeyDate).before is None


@pytest.mark.parametrize("bad", [{"started": 3}, {"id": "1"}, {"exit_status": None}])
def test_a_column_of_another_type_is_told(bad: dict[str, object]) -> None:
    with pytest.raises(SetupError, match=r"its column \w+ holds .* not what RunRow wants"):
        Row({**RUN, **bad}).read(RunRow)


def test_text_and_number_are_what_they_are_asked_as() -> None:
    row = Row({"a": "x", "b": 3})
    assert (row.text("a"), row.integer("b")) == ("x", 3)
    with pytest.raises(SetupError, match="column b holds 3, not a text"):
        row.text("b")
    with pytest.raises(SetupError, match="column a holds 'x', not a number"):
        row.integer("a")


@pytest.mark.parametrize("text", ["", "{", "[]", "3"])
def test_what_is_no_object_is_told(text: str) -> None:
    assert Row({"data": json.dumps({"a": [1]})}).table("data") == {"a": [1]}
    with pytest.raises(SetupError, match="column data holds"):
        Row({"data": text}).table("data")


@pytest.mark.parametrize("text", ["", "{}", "[3]"])
def test_what_is_no_list_of_texts_is_told(text: str) -> None:
    assert Row({"data": '["a"]'}).texts("data") == ("a",)
    with pytest.raises(SetupError, match="column data holds"):
        Row({"data": text}).texts("data")
