"""Show the words that changed between two license texts, with their context."""

from __future__ import annotations

import difflib
import re
from collections import Counter
from collections.abc import Iterator

AROUND = 12
"""Unchanged words shown on each side of a change."""
MAX_WORDS = 60_000
MAX_CHANGES = 200
MAX_PAIRS = 400_000
"""Of equal words in both texts; with more, those that are very frequent align nothing."""
GONE, COME = "gone", "come"
_MARKS = re.compile(r"(\[-|-\]|\{\+|\+\})")
_BEGIN, _END = {"[-": GONE, "{+": COME}, {GONE: "-]", COME: "+}"}


def word_diff(old: str, new: str) -> str:
    """Return the changes between normalised texts, ``[-gone-]`` and ``{+come+}``, with context."""
    before, after = old.split(), new.split()
    lines = [*_lines(before[:MAX_WORDS], after[:MAX_WORDS])]
    if max(len(before), len(after)) > MAX_WORDS:
        lines.append(f"… of each text only the first {MAX_WORDS} words were compared here …")
    return "\n".join(lines)


def many_pairs(old: list[str], new: list[str]) -> bool:
    """Say whether the same word stands in both so often that each pair cannot be looked at."""
    here, there = Counter(old), Counter(new)
    return sum(count * there[word] for word, count in here.items()) > MAX_PAIRS


def _lines(old: list[str], new: list[str]) -> Iterator[str]:
    """Give one line for each change, with the words around it."""
    matcher = difflib.SequenceMatcher(None, old, new, autojunk=many_pairs(old, new))
    changes = [op for op in matcher.get_opcodes() if op[0] != "equal"]
    for _, start, end, fresh, fresh_end in changes[:MAX_CHANGES]:
        parts = [" ".join(old[max(0, start - AROUND) : start])]
        if start < end:
            parts.append(f"[-{' '.join(old[start:end])}-]")
        if fresh < fresh_end:
            parts.append(f"{{+{' '.join(new[fresh:fresh_end])}+}}")
        parts.append(" ".join(old[end : end + AROUND]))
        yield "… " + " ".join(filter(None, parts)) + " …"
    if len(changes) > MAX_CHANGES:
        yield f"… and {len(changes) - MAX_CHANGES} more changes"


def marked(text: str) -> Iterator[tuple[str, str]]:
    """Give a report's pieces in their order, each with `GONE`, `COME` or nothing, marks included.

    One pass, whatever marks a stranger's text holds; what is begun and never ended is plain.
    """
    kind, parts = "", list[str]()
    for piece in _MARKS.split(text):
        if not kind and piece in _BEGIN:
            yield "", "".join(parts)
            kind, parts = _BEGIN[piece], [piece]
        elif kind and piece == _END[kind]:
            yield kind, "".join((*parts, piece))
            kind, parts = "", []
        else:
            parts.append(piece)
    yield "", "".join(parts)
