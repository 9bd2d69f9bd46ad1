"""What is not as it was in a release, as lines for a terminal: terms, source, packaging, logs."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from itertools import zip_longest
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from toolsync.archives.differ import FileChange, TreeDiff
    from toolsync.license.sidebyside import Shown
    from toolsync.pipeline.changes import Changes
    from toolsync.pipeline.context import Context

MARGIN = "  "
"""What stands before each line of a file's difference."""
_GAP, _LOG = "  │ ", 16 * 1024
_MARKS = {"gone": ("[-", "-]"), "come": ("{+", "+}"), "skip": ("\n… ", " …\n"), "": ("", "")}


def lines(changes: Changes, *, width: int) -> Iterator[str]:
    """Yield all that differs, in a terminal of ``width`` columns."""
    for text in changes.texts:
        yield from ("", *_terms(text, width))
    for head, diff in (("source", changes.source), ("packaging", changes.packaging)):
        yield from ("", *_tree(head, changes.before, diff))


def _terms(text: Shown, width: int) -> Iterator[str]:
    was = f" (against {text.was})" if text.was else " (new)"
    yield f"terms: {text.file}{was}"
    if text.pieces:
        marked = "".join(f"{_MARKS[p.kind][0]}{p.text}{_MARKS[p.kind][1]}" for p in text.pieces)
        yield from (f"{MARGIN}{MARGIN}{line}" for line in marked.splitlines())
    column = max(20, (width - len(_GAP) - 2) // 2)
    for row in text.rows:
        sides = (_wrapped(row.old, column), _wrapped(row.new, column))
        sign = " " if row.same else "≠"
        for old, new in zip_longest(*sides, fillvalue=""):
            yield f"{sign} {old:<{column}}{_GAP}{new}".rstrip()
        yield ""


def _wrapped(text: str, column: int) -> list[str]:
    found = [textwrap.wrap(line, column) or [""] for line in text.splitlines()]
    return [line for part in found for line in part]


def _tree(head: str, before: str, diff: TreeDiff) -> Iterator[str]:
    if diff.told or not diff.changes:
        yield f"{head}: {diff.told or f'all {diff.same} files are as in {before}'}"
        return
    number = len(diff.changes) + diff.unlisted
    what = "file differs" if number == 1 else "files differ"
    yield (
        f"{head}: {number} {what} from {before}, +{diff.come} and -{diff.gone} lines;"
        f" {diff.same} are as they were"
    )
    for change in diff.changes:
        yield f"  {_headed(change)}"
    for change in diff.changes:
        if change.hunks:
            yield from ("", f"{head}: {change.path}")
            yield from (f"{MARGIN}{line}" for line in change.hunks.split("\n"))
            if change.left:
                yield f"  … {change.left} more lines"


def _headed(change: FileChange) -> str:
    counts = f"  +{change.come} -{change.gone}" if change.come or change.gone else ""
    note = f"  ({change.note})" if change.note else ""
    return f"{change.how:<8} {change.path}{counts}{note}"


def steps(context: Context, tool: str, version: str) -> Iterator[str]:
    """Yield what packaging and building came to, with the end of each log."""
    from toolsync.pipeline.changes import end_of, steps_of

    for step in steps_of(context, tool, version):
        yield from ("", f"{step.stage} [{step.scope}]: {step.outcome} {step.message}".rstrip())
        for finding in step.findings:
            yield f"  {finding.get('severity', ''):<9} {finding.get('message', '')}"
        for line in end_of(context, step.log, _LOG).splitlines() if step.log else ():
            yield f"    | {line}"
