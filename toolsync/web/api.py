"""The API: the same lists and the same acts as the pages, as JSON."""

from __future__ import annotations

import hashlib
import json
from urllib.parse import urlencode

from flask import Response, request, url_for
from flask.typing import ResponseReturnValue

from toolsync.journal.states import State
from toolsync.model.text import escaped_json
from toolsync.web.lists import asked_for, listed

VERSION = 1
"""Of the form of every answer."""
_EACH = 100


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


def shown(state: State) -> dict[str, object]:
    """Return a tool as every answer has it; the first six are those of ``check --json``."""
    return {
        "tool": state.tool,
        "current": state.current or None,
        "newest": state.newest or None,
        "status": state.status or None,
        "url": state.url or None,
        "message": state.message or None,
        "resolution": state.resolution or None,
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
    response.set_etag(hashlib.sha256(text.encode()).hexdigest()[:32])
    response.headers["Cache-Control"] = "private, no-cache"
    response.make_conditional(request)
    return response
