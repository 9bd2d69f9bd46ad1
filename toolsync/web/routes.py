"""The visible table of all routes: what is answered, by whom it may be asked, and by what function.

A route that is not here is not there; one without a role would be open to everybody, so each names
one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from flask.typing import ResponseReturnValue

from toolsync.web import (
    api,
    asking,
    health,
    hooks,
    login,
    now,
    openapi,
    overview,
    retired,
    review,
    tool,
)
from toolsync.web.bringing import brought

EVERYBODY, READER, REVIEWER = "", "reader", "reviewer"
View = Callable[..., ResponseReturnValue]


@dataclass(frozen=True, slots=True)
class Route:
    """One address."""

    name: str
    asked: str
    """Method and path: ``GET /tool/<name>``."""
    view: View
    role: str
    signed: bool = False
    """Whether the request proves by itself who sends it: a hook."""

    @property
    def method(self) -> str:
        """The method by which it is asked."""
        return self.asked.partition(" ")[0]

    @property
    def rule(self) -> str:
        """Its path, as Flask has it."""
        return self.asked.partition(" ")[2]


ROUTES = (
    Route("overview", "GET /", overview.page, READER),
    Route("tool", "GET /tool/<name>", brought(tool.page), READER),
    Route("evidence", "GET /tool/<name>/evidence/<version>", brought(tool.evidence), READER),
    Route("review", "GET /review/<name>/<version>", brought(review.page), READER),
    Route("decide", "POST /review/<name>/<version>", review.decide_over, REVIEWER),
    Route("file", "GET /review/<name>/<version>/<part>", review.file, READER),
    Route("retired", "GET /retired", retired.page, READER),
    Route("now", "GET /now", now.page, READER),
    Route("now_events", "GET /now/events", now.events, READER),
    Route("health", "GET /health", health.page, READER),
    Route("health_anew", "POST /health", health.anew, REVIEWER),
    Route("look", "GET /look.css", login.look, EVERYBODY),
    Route("login", "GET /login", login.page, EVERYBODY),
    Route("log_in", "POST /login", login.log_in, EVERYBODY),
    Route("log_out", "POST /logout", login.log_out, EVERYBODY),
    Route("hook", "POST /hooks/<forge>", hooks.hear, EVERYBODY, signed=True),
    Route("look_now", "POST /tool/<name>/look", tool.look, REVIEWER),
    Route("ask_tool", "POST /tool/<name>/ask", asking.of_tool, REVIEWER),
    Route("address", "GET /address", asking.address, REVIEWER),
    Route("address_look", "POST /address", asking.look_at_address, REVIEWER),
    Route("asked", "GET /asked/<number>", asking.page, READER),
    Route("asked_adopt", "POST /asked/<number>", asking.adopt, REVIEWER),
    Route("api_asked", "GET /api/v1/asked", asking.api_all, READER),
    Route("api_ask", "POST /api/v1/asked", asking.api_ask, REVIEWER),
    Route("api_asked_one", "GET /api/v1/asked/<number>", asking.api_one, READER),
    Route("api_tools", "GET /api/v1/tools", api.tools, READER),
    Route("api_tool", "GET /api/v1/tools/<name>", api.tool, READER),
    Route("api_log", "GET /api/v1/tools/<name>/log", api.log, READER),
    Route("api_look", "POST /api/v1/tools/<name>/look", api.look, REVIEWER),
    Route("api_reviews", "GET /api/v1/reviews", api.reviews, READER),
    Route("api_review", "GET /api/v1/reviews/<name>/<version>", brought(api.review), READER),
    Route("api_decide", "POST /api/v1/reviews/<name>/<version>", api.decide_over, REVIEWER),
    Route("api_retired", "GET /api/v1/retired", retired.api, READER),
    Route("api_now", "GET /api/v1/now", now.api, READER),
    Route("api_health", "GET /api/v1/health", api.health, READER),
    Route("openapi", "GET /api/v1/openapi.json", openapi.served, READER),
)
