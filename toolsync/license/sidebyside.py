"""Show two texts of terms beside each other: word by word where little changed, else in columns.

The texts stand as they do in their files; only white space is not compared.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from toolsync.license.worddiff import COME, GONE, many_pairs

_LIKE = 0.6
"""The share of words that two texts must have in common to be shown as one."""
_AROUND = 40
"""Words shown on each side of a change."""
_WORDS = 40_000
_TOKEN = re.compile(r"\S+\s*")
_BLANK = re.compile(r"\n[ \t]*\n+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """A part of a text that is shown as one."""

    kind: str
    """``gone``, ``come``, ``skip`` for what is passed over, empty for what is as it was."""
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A paragraph before and now; empty where there was, or is, none."""

    old: str
    new: str
    same: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """A text that changed or is new: ``pieces`` or ``rows``."""

    file: str
    was: str
    """The file that it is compared with, empty where there is none."""
    pieces: tuple[Piece, ...] = ()
    rows: tuple[Row, ...] = ()
    cut: int = 0
    """Characters beyond those that are compared."""


def compared(file: str, was: str, old: str, new: str) -> Shown:
    """Return how the text of ``file`` differs from ``old``, the text of ``was``."""
    here, there = _TOKEN.findall(new)[:_WORDS], _TOKEN.findall(old)[:_WORDS]
    cut = max(len(new) - sum(map(len, here)), len(old) - sum(map(len, there)), 0)
    if not was:
        return Shown(file=file, was="", pieces=(Piece(kind=COME, text="".join(here)),), cut=cut)
    words, before = [w.rstrip() for w in here], [w.rstrip() for w in there]
    matcher = difflib.SequenceMatcher(None, before, words, autojunk=many_pairs(before, words))
    if matcher.ratio() >= _LIKE:
        found = _pieces(matcher.get_opcodes(), there, here)
        return Shown(file=file, was=was, pieces=tuple(found), cut=cut)
    return Shown(file=file, was=was, rows=tuple(_rows("".join(there), "".join(here))), cut=cut)


def _pieces(
    changes: Sequence[tuple[str, int, int, int, int]], old: Sequence[str], new: Sequence[str]
) -> Iterator[Piece]:
    for how, start, end, fresh, fresh_end in changes:
        if how != "equal":
            if start < end:
                gone = "".join(old[start:end])
                # Where something stands in its place, its line end does.
                yield Piece(kind=GONE, text=gone.rstrip() + " " if fresh < fresh_end else gone)
            if fresh < fresh_end:
                yield Piece(kind=COME, text="".join(new[fresh:fresh_end]))
            continue
        before, after = fresh + _AROUND, fresh_end - _AROUND
        if after - before < _AROUND:
            yield Piece(kind="", text="".join(new[fresh:fresh_end]))
            continue
        yield Piece(kind="", text="".join(new[fresh:before]))
        yield Piece(kind="skip", text=f"{after - before} words as before")
        yield Piece(kind="", text="".join(new[after:fresh_end]))


def _rows(old: str, new: str) -> Iterator[Row]:
    """Yield the paragraphs of both, those that are alike beside each other."""
    left, right = _paragraphs(old), _paragraphs(new)
    plain, plain_now = ([" ".join(p.split()) for p in side] for side in (left, right))
    matcher = difflib.SequenceMatcher(None, plain, plain_now, autojunk=many_pairs(plain, plain_now))
    for how, start, end, fresh, fresh_end in matcher.get_opcodes():
        for n in range(max(end - start, fresh_end - fresh)):
            before = left[start + n] if start + n < end else ""
            now = right[fresh + n] if fresh + n < fresh_end else ""
            yield Row(old=before, new=now, same=how == "equal")


def _paragraphs(text: str) -> list[str]:
    return [part.strip("\n") for part in _BLANK.split(text) if part.strip()]
