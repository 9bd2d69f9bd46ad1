"""Log in and out."""

from __future__ import annotations

import re
import secrets

from flask import Response, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue

from toolsync.report.page import LOOK
from toolsync.web import guard
from toolsync.web.people import NO_SECRET, fits
from toolsync.web.problems import Refused
from toolsync.web.request import context, shared

_PATH = re.compile(r"/(?![/\\])[A-Za-z0-9._~/?&=%+:@-]*")
"""Where one may be sent after a login: a page of ours, and nowhere else."""
_PER_NAME, _PER_ADDRESS = 5, 20
"""Failures in a quarter of an hour."""


def page() -> ResponseReturnValue:
    """Show the form."""
    return _form("", 200)


def look() -> ResponseReturnValue:
    """Give the style sheet that the static page has, too; the form to log in needs it."""
    response = Response(LOOK.read_bytes(), content_type="text/css; charset=utf-8")
    response.headers["Cache-Control"] = "public, max-age=3600"
    return response


def log_in() -> ResponseReturnValue:
    """Begin a session, where name and password fit."""
    name, password = request.form.get("name", ""), request.form.get("password", "")
    tries = shared().tries
    whos = (f"name {name[:64]}", f"address {request.remote_addr}")
    wait = max(tries.wait(whos[0], _PER_NAME), tries.wait(whos[1], _PER_ADDRESS))
    if wait:
        raise Refused(
            429,
            "there were too many wrong passwords",
            f"Try again in {int(wait // 60) + 1} minutes.",
            wait=wait,
        )
    account = context().journal.accounts.get(name)
    if not fits(account.secret if account else NO_SECRET, password) or account is None:
        tries.fail(*whos)
        return _form("Name or password is wrong.", 403)
    tries.succeed(whos[0])
    session.clear()  # nothing of what was before a login is good after it
    session.permanent = True
    session["name"] = account.name
    session["mark"] = guard.mark_of(account.secret, account.role)
    session["csrf"] = secrets.token_urlsafe(32)
    return redirect(_then(), 303)


def log_out() -> ResponseReturnValue:
    """End the session."""
    session.clear()
    return redirect(url_for("login"), 303)


def _form(fault: str, status: int) -> ResponseReturnValue:
    nobody = not context().journal.accounts.all()
    text = render_template("login.html.j2", fault=fault, then=_then(), nobody=nobody)
    return text, status


def _then() -> str:
    given = request.values.get("then", "")
    return given if _PATH.fullmatch(given) and not given.startswith("/log") else "/"
