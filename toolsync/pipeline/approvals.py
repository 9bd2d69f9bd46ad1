"""Approvals that stand, of releases that are not published yet: they can be taken back still."""

from __future__ import annotations

from dataclasses import dataclass

from toolsync.config.definition import Tool
from toolsync.journal.decisions import APPROVED, Decision
from toolsync.journal.journal import Journal
from toolsync.model.versions import upstream_key
from toolsync.pipeline.review import fingerprint, questions


@dataclass(frozen=True, slots=True, kw_only=True)
class Approval:
    """A release that people have let go on."""

    version: str
    decisions: tuple[Decision, ...]
    """One over what each gate asked, in the gates' order."""
    shown: str
    """The `review.fingerprint` that a decision against it must name."""


def standing(journal: Journal, tool: Tool) -> list[Approval]:
    """Return the approvals of a tool that may be taken back, of the newest release first.

    Left out is what a target has, or has been sent, and what is older than that.
    """
    sent = [u.upstream for u in journal.uploads.of(tool.name) if u.state != "claimed"]
    newest = max(map(upstream_key, sent), default=None)
    decided = {d.version for d in journal.decisions.of(tool.name) if d.verdict == APPROVED}
    found = []
    for version in sorted(decided, key=upstream_key, reverse=True):
        asked = questions(journal, tool.name, version)
        made = tuple(q.decision for q in asked if q.decision and q.decision.verdict == APPROVED)
        late = newest is not None and upstream_key(version) <= newest
        if asked and len(made) == len(asked) and not late:
            found.append(Approval(version=version, decisions=made, shown=fingerprint(asked)))
    return found
