"""Say in a sentence or two why a tool is where it is: always an answer, never a shrug."""

from __future__ import annotations

from collections.abc import Sequence

from toolsync.model import Outcome
from toolsync.records import Entry, PageRow


def why(tool: str, outcome: Outcome | None, page: PageRow | None, log: Sequence[Entry]) -> str:
    """Return the reason why the archive has the version that it has.

    ``outcome`` is where the tool stood at the last look, ``log`` its journal, oldest first.
    """
    if outcome is None:
        return f"{tool} has never been looked at. Look now: toolsync check {tool}"
    as_of = f", as of {page.looked}" if page else ""
    sentences = [f"{tool} is {outcome.status}: {outcome.message}{as_of}."]
    sentences += [_last_try(outcome, log)] if outcome.status == "new" else []
    sentences += [outcome.resolution]
    return " ".join(part for part in sentences if part)


def _last_try(outcome: Outcome, log: Sequence[Entry]) -> str:
    tried = [entry for entry in log if entry.version == outcome.newest and entry.event == "later"]
    if not tried:
        return f"Take it with: toolsync sync {outcome.tool}"
    return f"The last try ({tried[-1].at}) ended at {tried[-1].stage}: {tried[-1].message}."
