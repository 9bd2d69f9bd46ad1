"""What folds away from a license text, and what never does."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support import mutations
from toolsync.license import known, normalise
from toolsync.license.worddiff import COME, GONE, marked, word_diff

TEXTS = mutations.texts()


def identity(data: str | bytes) -> tuple[str, str]:
    """Return the fingerprint that counts, and the license that it is known as."""
    raw = mutations.as_bytes(data)
    text = normalise.read(raw)
    found = known.identify(text.words, known.first_words(normalise.decode(raw) or ""))
    return normalise.fingerprint(found.words), found.id


@pytest.mark.parametrize("name", mutations.SILENT)
@pytest.mark.parametrize("text", TEXTS)
def test_looks_do_not_count(text: str, name: str) -> None:
    changed = mutations.SILENT[name](TEXTS[text])
    assert identity(changed)[0] == identity(TEXTS[text])[0]


@pytest.mark.parametrize("name", mutations.CAUGHT)
@pytest.mark.parametrize("text", TEXTS)
def test_terms_count(text: str, name: str) -> None:
    changed = mutations.CAUGHT[name](TEXTS[text])
    assert changed != TEXTS[text]
    assert identity(changed)[0] != identity(TEXTS[text])[0]


@pytest.mark.parametrize("name", mutations.TITLES)
def test_a_title_that_names_the_text_does_not_count(name: str) -> None:
    assert identity(mutations.TITLES[name](mutations.MIT)) == identity(mutations.MIT)


def test_debians_common_licenses_are_known() -> None:
    for path in sorted(mutations.COMMON.iterdir()):
        if not path.is_symlink():
            assert identity(path.read_bytes())[1], path.name


@pytest.mark.parametrize(("text", "name"), [("MIT", "MIT"), ("BSD-3-Clause", "BSD-3-Clause")])
def test_known_texts_are_named(text: str, name: str) -> None:
    assert identity(TEXTS[text])[1] == name


@pytest.mark.parametrize(
    ("line", "left"),
    [
        ("Copyright (c) 2020 Jane Doe. For non-commercial use only.", "for noncommercial use only"),
        ("the above copyright notice", "the above copyright notice"),
        ("Copyright holders may not sue", "copyright holders may not sue"),
        ("(c) you include a copy", "c you include a copy"),
        ("Copyright Node.js contributors. All rights reserved.", ""),
        ("Copyright (C) 2007 Free Software Foundation, Inc. <https://fsf.org/>", ""),
        ("SPDX-FileCopyrightText: 2020 Jane Doe <jane@example.org>", ""),
        ("Portions Copyright 1999-2003 Example, Ltd.", ""),
        ("Copyright 2020 Jane Doe and you owe her", "you owe her"),
        ("Copyright 2020 Will May", ""),
        ("Copyright 2020 may be revoked", "may be revoked"),
    ],
)
def test_only_a_statement_of_copyright_is_dropped(line: str, left: str) -> None:
    assert normalise.normalise(f"{line}\n") == left


@pytest.mark.parametrize("data", [b"", b"\0\1\2" * 50, b" \n\t\n", b"---\n***\n"])
def test_what_has_no_words_is_a_problem(data: bytes) -> None:
    assert normalise.read(data).problem


def test_what_is_too_long_for_a_text_is_a_problem() -> None:
    first, second = (normalise.read(b"word " * 500_000 + end) for end in (b"one", b"two"))
    assert "too many" in first.problem
    assert first.fingerprint != second.fingerprint


@given(st.binary(max_size=400))
def test_any_bytes_are_read(data: bytes) -> None:
    text = normalise.read(data)
    assert text.problem or text.words


@given(st.text(max_size=300))
def test_normal_words_stay_as_they_are_in_lines_and_out_of_them(text: str) -> None:
    words = normalise.normalise(text)
    assert all(word == word.lower() for word in words.split() if word.isascii())
    assert not set("\n\t,;\"'") & set(words)


@given(st.lists(st.sampled_from(["may", "not", "use", "sell", "Foo", "2020", "the"]), min_size=1))
def test_words_of_terms_are_never_lost(words: list[str]) -> None:
    line = "Copyright (c) 2020 Jane Doe " + " ".join(words)
    kept = normalise.normalise(line).split()
    terms = {"not", "use", "sell"}
    assert [w for w in kept if w in terms] == [w for w in words if w in terms]


def test_a_word_diff_shows_words_and_what_is_around() -> None:
    old = "you may reproduce or distribute the work"
    shown = word_diff(old, "you may not reproduce or distribute a work")
    assert "you may {+not+} reproduce or distribute" in shown
    assert "[-the-] {+a+}" in shown
    assert word_diff(old, old) == ""


def test_marks_are_told_from_text() -> None:
    assert [*filter(all, marked("a [-b-] {+c [-d+}"))] == [(GONE, "[-b-]"), (COME, "{+c [-d+}")]
    for text in ("", "{+", "{+ a -] b", "+} [-x"):
        assert "".join(piece for _, piece in marked(text)) == text
        assert not [kind for kind, _ in marked(text) if kind]
