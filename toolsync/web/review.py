"""A release that waits for a person: what there is to read, and the decision over exactly that."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from flask import redirect, render_template, request
from flask.typing import ResponseReturnValue

from toolsync.config.definition import Tool
from toolsync.journal.decisions import APPROVED, REJECTED
from toolsync.license.worddiff import marked
from toolsync.model.errors import Busy
from toolsync.model.judgment import Judgment
from toolsync.pipeline.review import (
    MOST,
    Waiting,
    decide,
    fingerprint,
    questions,
    report_of,
    waiting,
)
from toolsync.web.problems import Refused
from toolsync.web.request import context, person, tool_named
from toolsync.web.words import tool_url

_UNSHOWN = "nothing"
"""The fingerprint of what nobody has seen: it fits no release."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One gate's question, as it is shown."""

    said: Judgment
    pieces: Sequence[tuple[str, str]]
    """Of its report, in their order: what kind of change, and the text; none without a report."""


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
    return render_template(
        "review.html.j2",
        item=item,
        asked=asked,
        decided=[question.decision for question in every if question.decision],
        shown=fingerprint(every),
        may=person().may("reviewer"),
        longest=MOST,
    )


def decide_over(name: str, version: str) -> ResponseReturnValue:
    """Record what the person has decided over what the form was shown with, or nothing."""
    verdict, tool = request.form.get("verdict", ""), tool_named(name)
    if verdict not in (APPROVED, REJECTED):
        raise Refused(400, "the form says neither approved nor rejected; nothing was decided", "")
    try:
        decide(
            context().journal,
            tool.name,
            version,
            verdict=verdict,
            who=person().told,
            reason=request.form.get("reason", ""),
            shown=request.form.get("shown", "") or _UNSHOWN,
        )
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
