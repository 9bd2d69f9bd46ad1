"""The API: the same lists and the same acts as the pages, as JSON."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from urllib.parse import urlencode

from flask import Response, request, url_for
from flask.typing import ResponseReturnValue

from toolsync.config.definition import Tool
from toolsync.journal.decisions import APPROVED, REJECTED
from toolsync.journal.states import State
from toolsync.model.text import escaped_json
from toolsync.model.values import dump
from toolsync.pipeline.approvals import Approval, standing
from toolsync.pipeline.review import as_object, fingerprint, questions, waiting
from toolsync.report.sentences import sentence
from toolsync.web.acting import Verdict
from toolsync.web.health import ask_doctor
from toolsync.web.lists import asked_for, bring_up_to_date, listed, number
from toolsync.web.problems import Refused
from toolsync.web.request import config, context, followed, person, shared, tool_named

VERSION = 1
"""Of the form of every answer."""
_EACH, _LINES, _MOST_LINES = 100, 100, 1000


def tools() -> ResponseReturnValue:
    """Return a page of the list of tools."""
    asked = asked_for(_EACH)
    found = listed(asked)
    rest: dict[str, str] = {}
    if asked.first + len(found.tools) < found.total and found.tools:
        query = {**request.args, "first": str(asked.first + len(found.tools))}
        rest["next"] = f"{url_for('api_tools')}?{urlencode(query)}"
    return as_json(
        {
            "version": VERSION,
            "total": found.total,
            "counts": {status or "none": count for status, count in found.counts.items()},
            "tools": [shown(state) for state in found.tools],
            **rest,
        }
    )


def tool(name: str) -> ResponseReturnValue:
    """Return one tool, with what waits of it."""
    found = followed(name)
    bring_up_to_date()
    state = context().journal.states.get(name)
    if isinstance(found, Tool) and (found.source, "") in context().journal.followed.retired():
        raise Refused(404, f"{name} was retired", "Follow it again: POST /api/v1/asked, resume.")
    if state is None:
        raise Refused(503, f"{name} was not computed yet", "Ask again in some seconds.", wait=5)
    waits = waiting(context().journal, found) if isinstance(found, Tool) else []
    versions = [item.version for item in waits]
    approved = standing(context().journal, found) if isinstance(found, Tool) else []
    told = [_approved(one) for one in approved]
    return as_json({"version": VERSION, **shown(state), "waiting": versions, "approved": told})


def _approved(one: Approval) -> dict[str, object]:
    """Return an approval that may be taken back; ``shown`` is what a rejection of it names."""
    last = one.decisions[-1]
    told = {"who": last.who, "at": last.at, "reason": last.reason}
    return {"version": one.version, **told, "shown": one.shown}


def log(name: str) -> ResponseReturnValue:
    """Return the last lines of a tool's log, newest first."""
    followed(name)
    most = number(request.args, "most", _LINES, 1, _MOST_LINES)
    lines = context().journal.log.of(name, most)[::-1]
    return as_json({"version": VERSION, "lines": [dump(line) for line in lines]})


def look(name: str) -> ResponseReturnValue:
    """Have a tool's page looked at within some seconds."""
    shared().hearing.ask([tool_named(name).name])
    return as_json({"version": VERSION, "tools": [name]}, 202)


def reviews() -> ResponseReturnValue:
    """Return every release that a gate holds for a person."""
    journal = context().journal
    found = (shared().plan.one(config(), name) for name in journal.results.tools_held())
    rows = [
        {"tool": item.tool, "version": item.version, "since": item.since}
        for one in found
        if one is not None and isinstance(one.found, Tool)
        for item in waiting(journal, one.found)
    ]
    return as_json({"version": VERSION, "reviews": rows})


def review(name: str, version: str) -> ResponseReturnValue:
    """Return a held release as ``review --json`` does, with what a decision must name."""
    tool_, journal = tool_named(name), context().journal
    with journal.one_moment():
        found = next((i for i in waiting(journal, tool_) if i.version == version), None)
        mark = fingerprint(questions(journal, tool_.name, version))
    if found is None:
        raise Refused(404, f"{name[:80]} {version[:80]} does not wait for a decision", "")
    return as_json(
        {
            "form": VERSION,
            **as_object(context().store, found),
            "shown": mark,
        }
    )


def decide_over(name: str, version: str) -> ResponseReturnValue:
    """Record a decision over exactly what ``shown`` was given with."""
    given, tool_ = body(), tool_named(name)
    verdict, mark = given.get("verdict"), given.get("shown")
    if verdict not in (APPROVED, REJECTED):
        raise Refused(400, "verdict is neither approved nor rejected; nothing was decided", "")
    if not isinstance(mark, str) or not mark:
        raise Refused(
            400,
            "shown is missing; nothing was decided",
            "Send the text of that name from the answer to GET of the same address.",
        )
    said = Verdict(
        tool=tool_.name,
        version=version,
        verdict=str(verdict),
        who=person().told,
        reason=str(given.get("reason", "")),
        shown=mark,
    )
    made = shared().acting.decide(context(), said)
    return as_json({"version": VERSION, "decisions": list(made)}, 201)


def health() -> ResponseReturnValue:
    """Return what the doctor said last; it looks anew where that is long ago."""
    doctor, busy = shared().doctor, ask_doctor()
    checks = [dump(check) for check in doctor.said.checks]
    told = {"at": doctor.at or None, "busy": busy, "fault": doctor.fault or None}
    return as_json({"version": VERSION, **told, "checks": checks})


def shown(state: State) -> dict[str, object]:
    """Return a tool as every answer has it; the first six are those of ``check --json``."""
    told = sentence(state.tool, state.status, state.message, state.resolution, newest=state.newest)
    return {
        "tool": state.tool,
        "current": state.current or None,
        "newest": state.newest or None,
        "status": state.status or None,
        "url": state.url or None,
        "message": state.message or None,
        "resolution": state.resolution or None,
        "sentence": dump(told) if state.message else None,
        "since": state.since or None,
        "holder": state.holder or None,
        "lag": state.lag if state.lag >= 0 else None,
        "summary": state.summary,
        "area": state.area or None,
        "looked": state.looked or None,
        "published": [
            {"target": p.target, "series": p.series, "version": p.version, "since": p.since}
            for p in state.places
        ],
    }


def as_json(data: object, status: int = 200) -> Response:
    """Return an answer whose ETag is its content's: what is known already is not sent again."""
    text = escaped_json(json.dumps(data, ensure_ascii=False, indent=1)) + "\n"
    response = Response(text, status, content_type="application/json")
    if request.method in ("GET", "HEAD"):
        response.set_etag(hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:32])
        response.headers["Cache-Control"] = "private, no-cache"
        response.make_conditional(request)
    return response


def body() -> Mapping[str, object]:
    """Return the object that a request sends; raises Refused for what is none."""
    if request.mimetype != "application/json":
        raise Refused(415, "the request is no application/json", "Send an object as JSON.")
    try:
        found = json.loads(request.get_data(cache=False))
    except (ValueError, RecursionError) as error:
        raise Refused(400, "the request is no JSON", "Send an object as JSON.") from error
    if not isinstance(found, dict):
        raise Refused(400, "the request is no object", "Send an object as JSON.")
    return found
