"""The application: its routes, and what comes before and after each of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta

from flask import Flask, g, redirect, request, url_for
from flask.typing import ResponseReturnValue
from jinja2 import BaseLoader, ChoiceLoader, StrictUndefined
from werkzeug import Response as Answer

from toolsync.config.settings import Config
from toolsync.maintain.overview import Plan
from toolsync.report.page import clean
from toolsync.report.page import loader as report_templates
from toolsync.system.clock import Clock, SystemClock
from toolsync.web import guard, problems, words
from toolsync.web.acting import acting
from toolsync.web.comparing import Comparing
from toolsync.web.doctoring import Doctor
from toolsync.web.errands import Errands
from toolsync.web.hearing import Hearing
from toolsync.web.people import NOBODY, Tries
from toolsync.web.problems import Refused
from toolsync.web.request import Shared, close, person, share
from toolsync.web.routes import ROUTES
from toolsync.web.setup import Setup, session_key

_DAY = timedelta(hours=12)
"""How long a session lasts: a working day."""


def application(
    load: Callable[[], Config],
    *,
    listen: str = "127.0.0.1:8765",
    clock: Clock | None = None,
    errand: Sequence[str] = (),
) -> tuple[Flask, Shared]:
    """Return the application over the set-up that ``load`` gives, and what its requests share.

    ``errand`` is the command line that does an errand, where no socket is named for them.
    """
    time, settings, doing = clock or SystemClock(), load(), acting(clock or SystemClock())
    app = Flask("toolsync.web", static_url_path="/static")
    found = Shared(
        setup=Setup(read=load, clock=time, listen=listen),
        clock=time,
        plan=Plan(),
        tries=Tries(clock=time),
        hearing=Hearing(clock=time),
        comparing=Comparing(clock=time, acting=doing),
        doctor=Doctor(clock=time),
        errands=Errands(clock=time, words=errand),
        acting=doing,
    )
    share(app.extensions, found)
    app.config.update(
        SECRET_KEY=session_key(settings),
        SESSION_COOKIE_NAME="__Host-toolsync" if settings.web.https else "toolsync",
        SESSION_COOKIE_SECURE=settings.web.https,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Strict",
        PERMANENT_SESSION_LIFETIME=_DAY,
        SESSION_REFRESH_EACH_REQUEST=False,
        MAX_CONTENT_LENGTH=guard.LARGEST,
        SEND_FILE_MAX_AGE_DEFAULT=timedelta(hours=1),
    )
    app.jinja_options = {
        "autoescape": True,
        "undefined": StrictUndefined,
        "finalize": clean,
        "trim_blocks": True,
        "lstrip_blocks": True,
    }
    app.jinja_env.globals |= words.GLOBALS | {"csrf": guard.csrf, "person": person}
    app.jinja_loader = ChoiceLoader([app.jinja_loader or BaseLoader(), report_templates()])
    app.jinja_env.filters |= words.FILTERS
    for route in ROUTES:
        app.add_url_rule(route.rule, route.name, route.view, methods=[route.method])
    app.before_request(_before)
    app.after_request(guard.with_headers)
    app.teardown_request(close)
    app.register_error_handler(Exception, problems.answer)
    return app, found


_BY_NAME = {route.name: route for route in ROUTES}


def _before() -> ResponseReturnValue | None:
    """Let a request through to its route, or answer it here."""
    g.person = NOBODY
    guard.require_host()
    if request.endpoint is None or request.endpoint == "static":
        return None  # there is no such page, or it is the same for everybody
    route = _BY_NAME[request.endpoint]
    guard.require_small(guard.LARGEST if route.signed else guard.FORM)
    if route.signed:
        return None
    g.person, by_token = guard.who()
    guard.require_own_form(by_token=by_token)
    if g.person.may(route.role):
        return None
    if g.person.role:
        raise Refused(
            403, "this is for reviewers", "Ask whoever runs toolsync: toolsync user role."
        )
    if request.path.startswith("/api/") or request.method != "GET":
        raise Refused(401, "log in first", "In the API: Authorization: Bearer TOKEN.")
    return _to_login()


def _to_login() -> Answer:
    return redirect(url_for("login", then=request.full_path.rstrip("?")), 303)
