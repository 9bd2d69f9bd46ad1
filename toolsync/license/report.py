"""Write the report that a reviewer of license terms reads, as plain text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from toolsync.config.definition import Tool
from toolsync.license.change import SILENT, Change
from toolsync.license.terms import KEPT_WORDS, LicenseText, Terms
from toolsync.license.worddiff import word_diff

_WORDS = 4000
"""Characters of a text that has no predecessor."""
_FILES = 60


def written(changes: Sequence[Change], old: Terms, new: Terms, *, tool: Tool, before: str) -> str:
    """Return the findings, a word diff of each changed text, and the files that nobody has seen."""
    return "\n".join(_lines(changes, old, new, tool, before)) + "\n"


def _lines(
    changes: Sequence[Change], old: Terms, new: Terms, tool: Tool, before: str
) -> Iterator[str]:
    """Yield the report's lines: findings, changed words, and files that are new."""
    yield f"Terms of {tool.name}, " + (f"compared with {before}" if before else "first release")
    for warning in tool.license.warnings:
        yield f"Note: {warning}"
    for change in changes:
        mark = "  " if change.verdict == SILENT else "! "
        yield f"{mark}{change.verdict:<6} {change.code}: {change.message}"
    yield ""
    yield "License texts:"
    for text in (*new.mains, *new.notices):
        yield f"  {text.file}: {text.id or 'not a known text'}, fingerprint {text.fingerprint}"
    yield from text_changes(old, new)
    seen = {file.digest for file in old.files}
    ids = new.ids()
    fresh = [file.path for file in new.files if file.digest not in seen]
    if old.files and fresh:
        yield ""
        yield f"{len(fresh)} of {len(new.files)} files have contents that were not there before:"
        for path in fresh[:_FILES]:
            yield f"  {path}" + (f" ({', '.join(ids[path])})" if ids[path] else "")
        if len(fresh) > _FILES:
            yield f"  … and {len(fresh) - _FILES} more"


def text_changes(old: Terms, new: Terms) -> Iterator[str]:
    """Give, for each license text that changed or is new, which words did."""
    before = {text.fingerprint for text in old.texts}
    for text in new.texts:
        if text.fingerprint in before or not text.words:
            continue
        base = predecessor(text, old, new)
        yield ""
        if base is None:
            yield f"== {text.file}, in normalised words"
            yield text.words[:_WORDS] + (" …" if len(text.words) > _WORDS else "")
        else:
            yield f"== {text.file}, [-gone-] and {{+new+}} words against {base.file}"
            yield word_diff(base.words, text.words)
        if max(len(text.words), len(base.words) if base else 0) >= KEPT_WORDS:
            yield f"… (only the first {KEPT_WORDS} characters of a text are kept to be shown)"


def predecessor(text: LicenseText, old: Terms, new: Terms) -> LicenseText | None:
    """Return what a text is compared with: the one at its place, else a release's main text."""
    same = [other for other in old.texts if other.path == text.path]
    mains = list(old.mains) if text in new.mains else []
    return next(iter(same + mains), None)
