"""Explain in some sentences why a tool is at its version."""

from __future__ import annotations

from collections.abc import Sequence

from toolsync.journal.log import Entry
from toolsync.model.release import Outcome
from toolsync.report.sentences import of_outcome, plain


def why(tool: str, outcome: Outcome | None, log: Sequence[Entry], built: Sequence[str] = ()) -> str:
    """Return the reason why the archive has the version that it has.

    ``outcome`` is where the tool stood at the last look, ``log`` its journal, oldest first,
    ``built`` what second builds of what is published came to, in sentences.
    """
    if outcome is None:
        return f"{tool} has never been looked at. Look now: toolsync check {tool}"
    told = of_outcome(outcome)
    taken_here = outcome.status == "new" and not outcome.resolution
    todo = _last_try(outcome, log) if taken_here else told.todo
    sentences = [f"{tool} is {outcome.status}: {told.happened}", told.matters, todo]
    sentences += [f"{warning}." for warning in outcome.warnings if warning not in outcome.message]
    return " ".join(part for part in (*sentences, *built) if part)


def _last_try(outcome: Outcome, log: Sequence[Entry]) -> str:
    failed: Entry | None = None
    for entry in log:
        if entry.version != outcome.newest:
            continue
        if entry.event in ("later", "error"):
            failed = entry
        elif failed and (entry.stage, entry.scope) == (failed.stage, failed.scope):
            failed = None  # it went on since
    if failed is None:
        return f"The next run takes it; take it now with: toolsync sync {outcome.tool}"
    told = plain(f"({failed.at}) ended at {failed.stage}: {failed.message}")
    return f"The last try {told}."
