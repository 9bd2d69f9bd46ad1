"""Two texts of terms: word by word where little changed, beside each other where much did."""

from __future__ import annotations

import time

from toolsync.license.sidebyside import Piece, compared

WORDS = " ".join(f"word{n}" for n in range(300))
TEXT = f"LICENSE\n\nYou may {WORDS} use it.\n"


def test_little_is_told_word_by_word_as_the_file_has_it() -> None:
    shown = compared("LICENSE", "COPYING", TEXT, TEXT.replace("use it", "never use it"))
    assert shown.rows == ()
    assert [piece.kind for piece in shown.pieces] == ["", "skip", "", "come", ""]
    assert shown.pieces[3] == Piece(kind="come", text="never ")
    assert shown.pieces[0].text.startswith("LICENSE\n\nYou may word0")
    words = shown.pieces[0].text.split() + shown.pieces[2].text.split()
    assert shown.pieces[1].text == f"{305 - 2 - len(words)} words as before"


def test_much_stands_in_two_columns() -> None:
    old = "Same line.\n\nYou may use it.\n\nThe end."
    new = "Same line.\n\nNobody shall ever touch this work again, anywhere.\n\nAnd more."
    shown = compared("LICENSE", "LICENSE", old, new)
    assert shown.pieces == ()
    told = [(row.old, row.new, row.same) for row in shown.rows]
    assert told[0] == ("Same line.", "Same line.", True)
    assert told[1][:2] == (
        "You may use it.",
        "Nobody shall ever touch this work again, anywhere.",
    )
    assert len(told) == 3


def test_a_new_text_is_new_as_a_whole() -> None:
    shown = compared("LICENSE", "", "", TEXT)
    assert [piece.kind for piece in shown.pieces] == ["come"]
    assert shown.pieces[0].text.rstrip() == TEXT.rstrip()


def test_a_hostile_text_takes_no_time() -> None:
    begun = time.monotonic()
    shown = compared("A", "B", "a b " * 60_000, "b a " * 60_000)
    assert time.monotonic() - begun < 20
    assert shown.cut > 0
