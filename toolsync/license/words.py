"""Show a person what changed in terms: the words, not the bytes or lines."""

from __future__ import annotations

import difflib
from collections.abc import Iterator

AROUND = 12
"""Unchanged words shown on each side of a change."""
MAX_WORDS = 60_000
MAX_CHANGES = 200


def word_diff(old: str, new: str) -> str:
    """Return the changes between normalised texts, ``[-gone-]`` and ``{+come+}``, with context."""
    return "\n".join(_lines(old.split()[:MAX_WORDS], new.split()[:MAX_WORDS]))


def _lines(old: list[str], new: list[str]) -> Iterator[str]:
    """Give one line for each change, with the words around it."""
    matcher = difflib.SequenceMatcher(None, old, new, autojunk=len(old) + len(new) > 10_000)
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
