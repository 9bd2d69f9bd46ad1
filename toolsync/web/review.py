"""A release that waits for a person: what there is to read, and the decision over exactly that."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from flask import redirect, render_template, request
from flask.typing import ResponseReturnValue

from toolsync.config.definition import Tool
from toolsync.journal.decisions import APPROVED, REJECTED
from toolsync.license.worddiff import marked
from toolsync.model.errors import Busy, Damaged, ToolsyncError
from toolsync.model.judgment import Judgment
from toolsync.model.release import Finding
from toolsync.pipeline.changes import Changes, Step, end_of, steps_of
from toolsync.pipeline.review import (
    MOST,
    Waiting,
    fingerprint,
    questions,
    report_of,
    waiting,
)
from toolsync.web.acting import Verdict
from toolsync.web.diffs import Shown, parted, shown
from toolsync.web.problems import Refused
from toolsync.web.request import another, context, person, shared, tool_named
from toolsync.web.words import tool_url

_UNSHOWN = "nothing"
"""The fingerprint of what nobody has seen: it fits no release."""


_LOG = 64 * 1024
"""Bytes of a log's end that are shown."""
_FINDINGS = 500
_GRAVE = ("breaking", "risky", "unknown")


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One gate's question, as it is shown."""

    said: Judgment
    pieces: Sequence[tuple[str, str]]
    """Of its report, in their order: what kind of change, and the text; none without a report."""

    @property
    def grave(self) -> list[Finding]:
        """What a person is asked about, gravest first."""
        found = [f for f in self.said.findings if f.severity in _GRAVE]
        return sorted(found, key=lambda f: _GRAVE.index(f.severity))[:_FINDINGS]

    @property
    def rest(self) -> list[Finding]:
        """What is told besides."""
        return [f for f in self.said.findings if f.severity not in _GRAVE][:_FINDINGS]


def page(name: str, version: str) -> ResponseReturnValue:
    """Show what the gates found, with a form for those who may decide."""
    journal, tool = context().journal, tool_named(name)
    with journal.one_moment():
        item = _waiting(tool, version)
        every = questions(journal, tool.name, version)
    asked = []
    for question in item.questions:
        report = report_of(context().store, question)
        pieces = tuple(marked(report)) if report else ()
        asked.append(Asked(said=question.judged.judgment, pieces=pieces))
    changes, told = _changes(tool, version)
    return render_template(
        "review.html.j2",
        item=item,
        asked=asked,
        changes=changes,
        trees=_trees(changes),
        told=told,
        steps=[_step(step) for step in steps_of(context(), tool.name, version)],
        decided=[question.decision for question in every if question.decision],
        shown=fingerprint(every),
        may=person().may("reviewer"),
        longest=MOST,
    )


def file(name: str, version: str, part: str) -> ResponseReturnValue:
    """Show what differs in one file: also where it is too much for the page of the release."""
    tool, path = tool_named(name), request.args.get("path", "")
    changes, told = _changes(tool, version)
    if changes is None:
        raise Refused(503, told, "Load the page again in some seconds.", wait=3)
    tree = changes.packaging if part == "packaging" else changes.source
    found = next((change for change in tree.changes if change.path == path), None)
    if found is None or part not in ("source", "packaging"):
        raise Refused(404, f"no file {path[:200]!r} differs in {tool.name} {version[:80]}", "")
    return render_template(
        "file.html.j2",
        tool=tool.name,
        version=version,
        before=changes.before,
        change=found,
        parts=list(parted(found.hunks)),
    )


def _changes(tool: Tool, version: str) -> tuple[Changes | None, str]:
    """Return what differs, or why that is not to be seen yet."""
    try:
        found = shared().comparing.ask(context(), another(), tool, version)
    except ToolsyncError as error:
        return None, f"{error} {error.resolution}"
    if isinstance(found, Changes):
        return found, ""
    return None, f"the releases are being compared, for {found:.0f} s now"


def _trees(changes: Changes | None) -> list[Shown]:
    if changes is None:
        return []
    return [shown("source", changes.source), shown("packaging", changes.packaging)]


def _step(step: Step) -> tuple[Step, str]:
    """Return what a step has left, with the end of its log."""
    try:
        return step, end_of(context(), step.log, _LOG) if step.log else ""
    except Damaged as error:
        return step, str(error)


def decide_over(name: str, version: str) -> ResponseReturnValue:
    """Record what the person has decided over what the form was shown with, or nothing."""
    verdict, tool = request.form.get("verdict", ""), tool_named(name)
    if verdict not in (APPROVED, REJECTED):
        raise Refused(400, "the form says neither approved nor rejected; nothing was decided", "")
    try:
        said = Verdict(
            tool=tool.name,
            version=version,
            verdict=verdict,
            who=person().told,
            reason=request.form.get("reason", ""),
            shown=request.form.get("shown", "") or _UNSHOWN,
        )
        shared().acting.decide(context(), said)
    except Busy as error:
        raise Refused(
            503,
            "another toolsync is writing just now; nothing was decided",
            "Look at the release again in some seconds, and decide then.",
            wait=5,
        ) from error
    return redirect(tool_url(tool.name), 303)


def _waiting(tool: Tool, version: str) -> Waiting:
    """Return the release; raises Refused, telling where it stands, for one that does not wait."""
    journal = context().journal
    found = waiting(journal, tool)
    for item in found:
        if item.version == version:
            return item
    over = [d for d in journal.decisions.of(tool.name) if d.version == version]
    told = [f"{d.who} has {d.verdict} it on {d.at}: {d.reason}." for d in over[-1:]]
    told += [f"What waits of {tool.name}: {item.version}." for item in found]
    raise Refused(404, f"{tool.name} {version[:80]} does not wait for a decision", " ".join(told))
