"""Explain in a sentence or two why a tool is at its version."""

from __future__ import annotations

from collections.abc import Sequence

from toolsync.journal.log import Entry
from toolsync.journal.pages import PageRow
from toolsync.model.release import Outcome


def why(
    tool: str,
    outcome: Outcome | None,
    page: PageRow | None,
    log: Sequence[Entry],
    built: Sequence[str] = (),
) -> str:
    """Return the reason why the archive has the version that it has.

    ``outcome`` is where the tool stood at the last look, ``log`` its journal, oldest first,
    ``built`` what second builds of what is published came to, in sentences.
    """
    if outcome is None:
        return f"{tool} has never been looked at. Look now: toolsync check {tool}"
    as_of = f", as of {page.looked}" if page else ""
    sentences = [f"{tool} is {outcome.status}: {outcome.message}{as_of}."]
    taken_here = outcome.status == "new" and not outcome.resolution
    sentences += [_last_try(outcome, log)] if taken_here else []
    sentences += [outcome.resolution]
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
        return f"Take it with: toolsync sync {outcome.tool}"
    return f"The last try ({failed.at}) ended at {failed.stage}: {failed.message}."
