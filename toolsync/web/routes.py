"""The visible table of all routes: what is answered, by whom it may be asked, and by what function.

A route that is not here is not there; one without a role would be open to everybody, so each names
one: ``everybody``, ``reader`` or ``reviewer``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from flask.typing import ResponseReturnValue

from toolsync.web import api, asking, health, hooks, login, now, openapi, overview, review, tool

EVERYBODY = ""
View = Callable[..., ResponseReturnValue]


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One address."""

    name: str
    rule: str
    view: View
    role: str
    method: str = "GET"
    signed: bool = False
    """Whether the request proves by itself who sends it: a hook."""


ROUTES = (
    Route(name="overview", rule="/", view=overview.page, role="reader"),
    Route(name="tool", rule="/tool/<name>", view=tool.page, role="reader"),
    Route(
        name="evidence",
        rule="/tool/<name>/evidence/<version>",
        view=tool.evidence,
        role="reader",
    ),
    Route(name="review", rule="/review/<name>/<version>", view=review.page, role="reader"),
    Route(
        name="decide",
        rule="/review/<name>/<version>",
        view=review.decide_over,
        role="reviewer",
        method="POST",
    ),
    Route(
        name="file",
        rule="/review/<name>/<version>/<part>",
        view=review.file,
        role="reader",
    ),
    Route(name="now", rule="/now", view=now.page, role="reader"),
    Route(name="now_events", rule="/now/events", view=now.events, role="reader"),
    Route(name="health", rule="/health", view=health.page, role="reader"),
    Route(name="health_anew", rule="/health", view=health.anew, role="reviewer", method="POST"),
    Route(name="look", rule="/look.css", view=login.look, role=EVERYBODY),
    Route(name="login", rule="/login", view=login.page, role=EVERYBODY),
    Route(name="log_in", rule="/login", view=login.log_in, role=EVERYBODY, method="POST"),
    Route(name="log_out", rule="/logout", view=login.log_out, role=EVERYBODY, method="POST"),
    Route(
        name="hook",
        rule="/hooks/<forge>",
        view=hooks.hear,
        role=EVERYBODY,
        method="POST",
        signed=True,
    ),
    Route(
        name="look_now",
        rule="/tool/<name>/look",
        view=tool.look,
        role="reviewer",
        method="POST",
    ),
    Route(
        name="ask_tool",
        rule="/tool/<name>/ask",
        view=asking.of_tool,
        role="reviewer",
        method="POST",
    ),
    Route(name="address", rule="/address", view=asking.address, role="reviewer"),
    Route(
        name="address_look",
        rule="/address",
        view=asking.look_at_address,
        role="reviewer",
        method="POST",
    ),
    Route(name="asked", rule="/asked/<number>", view=asking.page, role="reader"),
    Route(
        name="asked_adopt",
        rule="/asked/<number>",
        view=asking.adopt,
        role="reviewer",
        method="POST",
    ),
    Route(name="api_asked", rule="/api/v1/asked", view=asking.api_all, role="reader"),
    Route(
        name="api_ask", rule="/api/v1/asked", view=asking.api_ask, role="reviewer", method="POST"
    ),
    Route(name="api_asked_one", rule="/api/v1/asked/<number>", view=asking.api_one, role="reader"),
    Route(name="api_tools", rule="/api/v1/tools", view=api.tools, role="reader"),
    Route(name="api_tool", rule="/api/v1/tools/<name>", view=api.tool, role="reader"),
    Route(name="api_log", rule="/api/v1/tools/<name>/log", view=api.log, role="reader"),
    Route(
        name="api_look",
        rule="/api/v1/tools/<name>/look",
        view=api.look,
        role="reviewer",
        method="POST",
    ),
    Route(name="api_reviews", rule="/api/v1/reviews", view=api.reviews, role="reader"),
    Route(
        name="api_review",
        rule="/api/v1/reviews/<name>/<version>",
        view=api.review,
        role="reader",
    ),
    Route(
        name="api_decide",
        rule="/api/v1/reviews/<name>/<version>",
        view=api.decide_over,
        role="reviewer",
        method="POST",
    ),
    Route(name="api_now", rule="/api/v1/now", view=now.api, role="reader"),
    Route(name="api_health", rule="/api/v1/health", view=api.health, role="reader"),
    Route(name="openapi", rule="/api/v1/openapi.json", view=openapi.served, role="reader"),
)
