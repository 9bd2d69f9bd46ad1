"""Nothing in a stranger's text acts where it is shown, and no name of his is more than a name."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toolsync.model.text import escaped, escaped_json, name_fault


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("1.0", "1.0"),
        ("\x1b[2J", r"\x1b[2J"),
        ("a\u202egnp.exe", r"a\u202egnp.exe"),
        ("a\u2066b\u2069\u200f\ufeff", r"a\u2066b\u2069\u200f\ufeff"),
        ("a\u2028b\x85\x9bc\rd", r"a\u2028b\x85\x9bc\x0dd"),
        ("\U000e0041", r"\U000e0041"),
        ("\udc80", r"\udc80"),
        ("Größe → ok", "Größe → ok"),
    ],
)
def test_what_would_act_is_shown_by_its_escape(text: str, shown: str) -> None:
    assert escaped(text) == shown


@given(st.text())
def test_json_keeps_its_data_and_shows_none_of_it(text: str) -> None:
    whole = json.dumps({text: [text]}, indent=1, ensure_ascii=False)
    shown = escaped_json(whole)
    assert json.loads(shown) == json.loads(whole)
    assert shown.replace("\n", "").isprintable()
    assert escaped(text).isprintable()


@pytest.mark.parametrize(
    "name",
    ["", ".", "..", "-rf", "--checkpoint-action=exec=sh", ".bashrc", "a\nb", "a\x1b[2Jb", "a/b",
     "a\\b", "a\u202eb", "a\0b", "x" * 201, "é" * 101],
)  # fmt: skip
def test_what_is_no_plain_name_is_refused_with_its_reason(name: str) -> None:
    assert name_fault(name).startswith("which ")


@pytest.mark.parametrize("name", ["hello-1.0.tar.gz", "größe_1~rc1+x.tgz", "a b.zip", "x" * 200])
def test_plain_names_are_taken(name: str) -> None:
    assert name_fault(name) == ""
