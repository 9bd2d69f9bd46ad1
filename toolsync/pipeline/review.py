"""What waits for a person at the gates, and what people decided about it.

A question is open while a gate does not let a release pass and nobody has decided over exactly
what it judged. `gates` asks and applies; nothing here does any stage's work.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from toolsync.config.definition import Tool
from toolsync.journal.decisions import APPROVED, REJECTED, Decision, newest_decision
from toolsync.journal.journal import Journal
from toolsync.journal.judgments import Judged
from toolsync.journal.results import Result
from toolsync.model.errors import Changed, UsageError
from toolsync.model.meanings import of_finding
from toolsync.model.values import Finding, dump
from toolsync.model.versions import upstream_key
from toolsync.system.store import Store

MOST = 2000
"""Characters of a reason: a decision is a sentence or two, and a log line too."""
_SHOWN = 400_000
"""Bytes of a gate's report that are shown; the whole one lies in the store."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One gate's answer that needs a person."""

    judged: Judged
    decision: Decision | None
    """The newest one over exactly this answer, if there is one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """A release that a gate holds, with all that is open about it."""

    tool: str
    version: str
    since: str
    """When the gate first came to what it says now."""
    release: Mapping[str, Any]
    """As its page offered it."""
    questions: tuple[Question, ...]
    """Those that nobody has decided, in the gates' order."""


def questions(journal: Journal, tool: str, version: str) -> tuple[Question, ...]:
    """Return what the gates do not let pass by themselves, decided or not, in their order.

    What a gate says alike of packages for several series is one question.
    """
    decided = journal.decisions.of(tool)
    open_ = [
        said for said in journal.judgments.of_release(tool, version) if not said.judgment.passes
    ]
    once = {(said.key.stage, said.judgment.subject): said for said in reversed(open_)}
    return tuple(
        Question(
            judged=judged,
            decision=newest_decision(decided, version, judged.key.stage, judged.judgment.subject),
        )
        for judged in reversed(once.values())
    )


def waiting(journal: Journal, tool: Tool) -> list[Waiting]:
    """Return the releases of a tool that wait for a decision, oldest first.

    Left out is what no sync would take any more: older than what is published, or than the
    newest releases that the tool's ``backlog`` lets through.
    """
    rows = {row.version: row for row in journal.releases.of(tool.name)}
    served = [u.upstream for u in journal.uploads.of(tool.name) if u.state == "confirmed"]
    oldest = max(map(upstream_key, served), default=None)
    held = sorted(journal.results.held_by_gates(tool.name), key=upstream_key)
    found = []
    for version in held:
        if oldest is not None and upstream_key(version) < oldest:
            continue
        asked = questions(journal, tool.name, version)
        still = tuple(question for question in asked if question.decision is None)
        if still and not _is_refused(asked):
            since = min(question.judged.at for question in still)
            release = rows[version].data
            found.append(
                Waiting(
                    tool=tool.name,
                    version=version,
                    since=since,
                    release=release,
                    questions=still,
                )
            )
    return found[-tool.watch.backlog :]


def rejected(journal: Journal, tool: str) -> dict[str, Decision]:
    """Return the versions that people rejected, for what the gates say of them now."""
    found = {}
    for version in {d.version for d in journal.decisions.of(tool) if d.verdict == REJECTED}:
        for question in questions(journal, tool, version):
            if question.decision is not None and question.decision.verdict == REJECTED:
                found[version] = question.decision
    return found


def is_answered(journal: Journal, held: Result) -> bool:
    """Say whether what a gate held has been decided since, so that it goes on at the next sync."""
    if held.kind not in ("GateClosed", "Rejected"):
        return False
    asked = questions(journal, held.key.tool, held.key.version)
    return bool(asked) and all(q.decision and q.decision.verdict == APPROVED for q in asked)


def decide(
    journal: Journal,
    tool: str,
    version: str,
    *,
    verdict: str,
    who: str,
    reason: str,
    stages: Sequence[str] = (),
    shown: str = "",
) -> tuple[Decision, ...]:
    """Keep a person's decision over all that waits of a release, or over the named ``stages``.

    It may replace an earlier one, until the release is published. ``shown`` is the `fingerprint`
    of what the person has seen, empty where that is not known. Returns what was decided. Raises
    UsageError where there is nothing to decide, or no reason for it; Changed where something else
    would be decided over than what was shown.
    """
    told, known = _checked_reason(reason), len(journal.decisions.of(tool))
    if shown and shown != fingerprint(questions(journal, tool, version)):
        raise Changed(
            f"{tool} {version} is not what was shown any more: other bytes, another judgment or"
            " another's decision came since; nothing was decided",
            resolution="Look at it again, and decide then.",
        )
    asked = _undecided(journal, tool, version, verdict)
    here = [question.judged.key.stage for question in asked]
    wrong = [stage for stage in stages if stage not in here]
    if wrong:
        raise UsageError(
            f"{tool} {version} does not wait at {', '.join(wrong)}, but at {', '.join(here)}",
            resolution="Leave out --stage to decide over all that waits.",
        )
    judged = (question.judged for question in asked)
    over = [(j.key, j.judgment) for j in judged if j.key.stage in stages or not stages]
    journal.decisions.add_all(over, verdict=verdict, who=who, reason=told, known=known)
    kept = journal.decisions.of(tool)
    chosen = [q.judged for q in asked if q.judged.key.stage in (stages or here)]
    found = (
        newest_decision(kept, version, judged.key.stage, judged.judgment.subject)
        for judged in chosen
    )
    return tuple(decision for decision in found if decision is not None)


def fingerprint(asked: Sequence[Question]) -> str:
    """Return what is another when anything is that a person decides over: its SHA-256, in hex.

    A judgment's subject is over the release's contents, its terms or surface, and the policy.
    """
    rows = [
        [
            *(question.judged.key.stage, question.judged.judgment.subject),
            question.decision and [question.decision.verdict, question.decision.at],
        ]
        for question in asked
    ]
    return hashlib.sha256(json.dumps(rows).encode()).hexdigest()


def report_of(store: Store, question: Question) -> str:
    """Return what the gate has written for a person, cut where nobody would read on.

    Empty where it has written nothing; raises Damaged where the store has other bytes.
    """
    blob = question.judged.judgment.report
    if blob is None or not store.has(blob):
        return ""
    path = store.path(blob)
    with path.open("rb") as file:
        text = file.read(_SHOWN).decode("utf-8", "replace")
    return text if blob.size <= _SHOWN else f"{text}\n… {blob.size} bytes; the rest is in {path}"


def _meant(finding: Finding) -> dict[str, object]:
    """Return a finding with why it matters and what to do about it."""
    meaning = of_finding(finding.stage, finding.code)
    return {**dump(finding), "matters": meaning.matters, "todo": meaning.todo}


def as_object(store: Store, item: Waiting) -> dict[str, object]:
    """Return a held release as ``review --json`` prints it; raises as `report_of`."""
    return {
        "tool": item.tool,
        "version": item.version,
        "since": item.since,
        "page": item.release["page"],
        "url": item.release["url"],
        "gates": [
            {
                **dump(question.judged.judgment),
                "findings": [_meant(found) for found in question.judged.judgment.findings],
                "text": report_of(store, question),
            }
            for question in item.questions
        ],
    }


def _checked_reason(reason: str) -> str:
    told = " ".join(reason.split())
    if not told or not told.isprintable() or len(told) > MOST:
        problem = "is empty" if not told else f"has {len(told)} characters, or some unprintable"
        raise UsageError(
            f"the reason {problem}; wanted: a sentence of at most {MOST} characters that says why",
            resolution="Write what the next person should know.",
        )
    return told


def _undecided(journal: Journal, tool: str, version: str, verdict: str) -> list[Question]:
    """Return what ``verdict`` can be said over; raise UsageError where that is nothing."""
    if version not in {row.version for row in journal.releases.of(tool)}:
        raise UsageError(
            f"{tool} {version} was never taken, so nothing is known of it",
            resolution=f"See what waits with: toolsync review {tool}",
        )
    published = any(
        upload.upstream == version and upload.state != "claimed"
        for upload in journal.uploads.of(tool)
    )
    if published and verdict == REJECTED:
        raise UsageError(
            f"{tool} {version} is published; rejecting it now would take nothing back",
            resolution="Pin or remove it where it is served; a newer release replaces it.",
        )
    asked = questions(journal, tool, version)
    found = [q for q in asked if q.decision is None or q.decision.verdict != verdict]
    if not found:
        raise UsageError(
            f"nothing of {tool} {version} waits for that: "
            f"{_instead(journal, tool, version, asked, published)}",
            resolution=f"See what waits with: toolsync review {tool}",
        )
    return found


def _instead(
    journal: Journal, tool: str, version: str, asked: Sequence[Question], published: bool
) -> str:
    """Return in words where a release stands of which nothing waits."""
    if asked and asked[-1].decision is not None:
        decision = asked[-1].decision
        return f"{decision.who} has {decision.verdict} it on {decision.at}: {decision.reason}"
    held = journal.results.holds(tool, version)
    if held:
        at = held[0].key.stage
        return f"it is held at {at}, which nobody can approve away: {held[0].message}"
    return "it is published" if published else "no gate holds it"


def _is_refused(asked: Sequence[Question]) -> bool:
    return any(q.decision is not None and q.decision.verdict == REJECTED for q in asked)
