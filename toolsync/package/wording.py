"""Compare what a hunk changes with a file word by word: lines that were wrapped or moved count.

A release has a hunk's change where each of its new words stands there among the words around it,
and none of the old ones does among them.
"""

from __future__ import annotations

import re
from difflib import SequenceMatcher

_AROUND = 3
"""Words before and after a change by which its place is known."""
_FEWEST, _SHORTEST = 4, 12
"""Words and characters with which a place can be told from others."""
_MOST = 4000
"""Words of a hunk that are compared; the time grows with their square."""
_DOCUMENTATION = re.compile(
    r"(?:.*/)?(?:[^/]+\.(?:[1-8][a-z]{0,6}|roff|nro|mdoc|man|md|rst|pod|texi|texinfo|adoc|asciidoc)"
    r"(?:\.in)?|(?:README|NEWS|ChangeLog|CHANGES|AUTHORS|THANKS|TODO)(?:\.[^/]*)?)"
)
"""Man pages, manuals and what stands beside them: nothing is built or run by these."""


_TESTS = re.compile(r"(?:tests?|testing|testsuite|t|spec)/.+|tests?\.sh")
_LETTERS = re.compile(rb"[A-Za-z]{5,}")
_COMMENT = re.compile(rb"\s*(?:#(?!\s*(?:if|el|end|def|undef|inc|pra))|//|/?\*|dnl\b|--\s|;)")
_ALIKE = 0.75
"""How much of two words is the same where one is the other's misspelling."""
_LIKE = 0.7
"""How much of two lines is the same where one has become the other."""


def serves(name: str) -> str:
    """Return what a file alone is for that cannot harm what is built; empty for all others.

    Documentation is read by people; tests that are not as a patch wants them fail loudly.
    """
    if _DOCUMENTATION.fullmatch(name):
        return "documentation"
    return "tests" if _TESTS.fullmatch(name) else ""


def mends_spelling(hunk: bytes) -> bool:
    """Say whether all that a hunk does is to spell words otherwise."""
    changes = _changes(hunk)
    return bool(changes) and all(
        len(was) == len(now) and all(map(_respelled, was, now)) for was, now, _, _ in changes
    )


def in_prose(hunk: bytes) -> bool:
    """Say whether all lines that a hunk changes one by one differ in a comment or between quotes.

    A name in code, which other lines have as well, stands in neither.
    """
    lines = hunk.splitlines()[1:]
    old = [line[1:] for line in lines if line.startswith(b"-")]
    new = [line[1:] for line in lines if line.startswith(b"+")]
    return len(old) == len(new) and all(map(_is_prose, old, new))


def _is_prose(one: bytes, other: bytes) -> bool:
    pairs = enumerate(zip(one, other, strict=False))
    differs = next((at for at, (left, right) in pairs if left != right), len(one))
    return bool(_COMMENT.match(one)) or one[:differs].count(b'"') % 2 == 1


def _respelled(one: bytes, other: bytes) -> bool:
    before, after = _LETTERS.findall(one), _LETTERS.findall(other)
    return (
        _LETTERS.split(one) == _LETTERS.split(other)
        and len(before) == len(after) == 1
        and SequenceMatcher(a=before[0], b=after[0]).ratio() >= _ALIKE
    )


def is_like_any(line: bytes, text: bytes) -> bool:
    """Say whether a file has a line that is much the same as one without its blanks."""
    others = {b"".join(other.split()) for other in text.splitlines()}
    near = (other for other in others if 2 * len(other) > len(line) and len(other) < 2 * len(line))
    return any(
        (matcher := SequenceMatcher(a=line, b=other)).quick_ratio() >= _LIKE
        and matcher.ratio() >= _LIKE
        for other in near
    )


def has_change(text: bytes, hunk: bytes) -> bool:
    """Say whether a file has a hunk's change already, word by word."""
    there = _joined(text.split())
    changes = _changes(hunk)
    return bool(changes) and all(
        _tells(before + now + after)
        and _joined(before + now + after) in there
        and _joined(before + was + after) not in there
        for was, now, before, after in changes
    )


def _changes(hunk: bytes) -> list[tuple[list[bytes], list[bytes], list[bytes], list[bytes]]]:
    """Return each change of a hunk: its old words, its new ones, and those before and after.

    There are none where the hunk is too long.
    """
    lines = [line for line in hunk.splitlines()[1:] if not line.startswith(b"\\")]
    old = b"\n".join(line[1:] for line in lines if not line.startswith(b"+")).split()
    new = b"\n".join(line[1:] for line in lines if not line.startswith(b"-")).split()
    if max(len(old), len(new)) > _MOST:
        return []
    return [
        (old[i1:i2], new[j1:j2], new[max(0, j1 - _AROUND) : j1], new[j2 : j2 + _AROUND])
        for what, i1, i2, j1, j2 in SequenceMatcher(a=old, b=new, autojunk=False).get_opcodes()
        if what != "equal"
    ]


def _joined(words: list[bytes]) -> bytes:
    return b" " + b" ".join(words) + b" "


def _tells(words: list[bytes]) -> bool:
    return len(words) >= _FEWEST and sum(map(len, words)) >= _SHORTEST
