"""What goes wrong, as one clear page with its status; in the API as problem+json (RFC 9457)."""

from __future__ import annotations

import json

from flask import Response, render_template, request
from werkzeug.exceptions import HTTPException

from toolsync.model.errors import (
    Busy,
    Changed,
    OutOfSpace,
    SetupError,
    ToolsyncError,
    TryAgain,
    UsageError,
    unforeseen,
)
from toolsync.model.text import escaped_json
from toolsync.web.errands import TooMany

_MOST = 2000
"""Characters of an error that are told."""


class Refused(Exception):
    """A request that is not answered: the status, a sentence, and what to do."""

    def __init__(self, status: int, message: str, resolution: str, *, wait: float = 0) -> None:
        super().__init__(message)
        self.status, self.message, self.resolution, self.wait = status, message, resolution, wait


def answer(error: Exception) -> Response:
    """Return the page, or in the API the problem, that tells of an error."""
    found = error if isinstance(error, Refused) else _refused(error)
    message = found.message[:_MOST]
    if request.path.startswith(("/api/", "/hooks/")):
        about = {"type": "about:blank", "title": message, "status": found.status}
        about |= {"detail": found.resolution} if found.resolution else {}
        text = escaped_json(json.dumps(about, ensure_ascii=False))
        response = Response(text + "\n", found.status, content_type="application/problem+json")
    else:
        decides = request.endpoint == "decide" and found.status in (400, 409, 503)
        again = request.path if decides else ""
        page = render_template("problem.html.j2", problem=found, message=message, again=again)
        response = Response(page, found.status)
    if found.wait:
        response.headers["Retry-After"] = str(int(found.wait) + 1)
    if found.status == 401 and request.path.startswith("/api/"):
        response.headers["WWW-Authenticate"] = "Bearer"
    return response


def _refused(error: Exception) -> Refused:
    if isinstance(error, HTTPException):
        what = {404: "there is no such page", 405: "this page takes no such request"}
        status = error.code or 500
        return Refused(status, what.get(status, error.name.lower()), "")
    told = error if isinstance(error, ToolsyncError) else unforeseen(error)
    wait = 5 if isinstance(told, Busy | OutOfSpace) else 0
    return Refused(_status(told), str(told), told.resolution, wait=wait)


def _status(error: ToolsyncError) -> int:
    """Return the HTTP status of an error of ours."""
    if isinstance(error, Changed):
        return 409
    if isinstance(error, TooMany):
        return 429
    if isinstance(error, UsageError):
        return 400
    return 503 if isinstance(error, TryAgain | SetupError) else 500
