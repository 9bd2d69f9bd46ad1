"""What is under way: every process of this state, its steps, and the ends of their logs.

A page shows it as it is; with script it is kept up to date by server-sent events (HTML Living
Standard, 9.2), which hold a connection of the server, so few of them are given at once.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from flask import Flask, Response, current_app, render_template
from flask.typing import ResponseReturnValue

from toolsync.system import stop, underway
from toolsync.system.board import Running, Told, running, told
from toolsync.web import asking
from toolsync.web.api import as_json
from toolsync.web.history import history
from toolsync.web.problems import Refused
from toolsync.web.request import Shared, config, context, person, shared

_STREAMS = 4
"""Streams at once; whoever comes later loads the page again at times."""
_SECONDS, _EACH = 50.0, 1.0
"""How long a stream goes on until the browser asks anew, and how often it looks."""
_LINES, _RUNS, _ASKED = 200, 10, 10
_open = threading.BoundedSemaphore(_STREAMS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Now:
    """What is under way."""

    processes: tuple[Running, ...]
    own: tuple[Told, ...]
    """What this server itself is at."""


def now(state: Path) -> Now:
    """Return what is under way in a state folder, and here."""
    found = tuple(running(state))
    return Now(processes=found, own=tuple(map(told, underway.steps())))


def page() -> ResponseReturnValue:
    """Show what is under way, what waits to be looked at, and what was done last."""
    journal, may = context().journal, person().may("reviewer")
    return render_template(
        "now.html.j2",
        now=now(config().state),
        asked=asking.known().all()[:_ASKED],
        stuck=asking.stuck() if may else [],
        may=may,
        waiting=shared().hearing.waiting(),
        events=history(journal.log.last(_LINES)),
        runs=journal.runs.last(_RUNS),
    )


def api() -> ResponseReturnValue:
    """Return the same as JSON."""
    found = now(config().state)
    rows = [
        *(
            {"process": p.pid, "purpose": p.purpose, "steps": _steps(p.steps)}
            for p in found.processes
        ),
        *([{"process": None, "purpose": "serve", "steps": _steps(found.own)}] if found.own else []),
    ]
    waiting = list(shared().hearing.waiting())
    return as_json({"version": 1, "processes": rows, "waiting": waiting})


def _steps(steps: tuple[Told, ...]) -> list[dict[str, object]]:
    return [{"label": s.label, "seconds": s.seconds, "words": s.words} for s in steps]


def events() -> ResponseReturnValue:
    """Send what is under way whenever it changes, as the piece of the page that shows it."""
    if not _open.acquire(blocking=False):
        raise Refused(503, "many look at this already", "Load the page again.", wait=5)
    app = current_app._get_current_object()  # type: ignore[attr-defined]
    stream = _events(app, config().state, shared())
    response = Response(stream, content_type="text/event-stream; charset=utf-8")
    response.headers["X-Accel-Buffering"] = "no"  # nginx would wait for more
    response.call_on_close(_open.release)
    return response


def _events(app: Flask, state: Path, shared: Shared) -> Iterator[bytes]:
    clock = shared.clock
    template = app.jinja_env.get_template("running.html.j2")
    end, last = clock.monotonic() + _SECONDS, ""
    yield b"retry: 2000\n\n"
    while clock.monotonic() < end and not stop.begun():
        with app.app_context():  # the request's is over
            text = template.render(now=now(state), asked=shared.errands.all()[:_ASKED])
        # A comment, where nothing is new, so that a browser that has gone is noticed.
        yield f"data: {json.dumps(text)}\n\n".encode() if text != last else b":\n\n"
        last = text
        clock.sleep(_EACH)
