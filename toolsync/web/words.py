"""What templates call: times in words, statuses by their shapes, and texts of bounded length."""

from __future__ import annotations

from datetime import UTC, datetime

from flask import request, url_for
from markupsafe import Markup, escape

from toolsync.gate.gates import GATES
from toolsync.journal.runs import RunRow
from toolsync.journal.states import State
from toolsync.model.errors import BUG, FINE, HELD, LATER, SETUP, USAGE
from toolsync.model.meanings import of_finding
from toolsync.report.chart import scale
from toolsync.report.lag import in_words
from toolsync.report.sentences import sentence as sentence_of
from toolsync.system.clock import parsed
from toolsync.web.request import shared

_MOST = 4000


def ago(moment: str) -> Markup:
    """Return a moment (ISO 8601) as the time since, with the exact one to be seen on hover."""
    try:
        then = parsed(moment)
    except ValueError:
        return Markup("never") if not moment else escape(bounded(moment, 40))
    if then.tzinfo is None:
        then = then.replace(tzinfo=UTC)
    seconds = (shared().clock.now() - then).total_seconds()
    told = "just now" if abs(seconds) < 60 else f"{_one(abs(seconds))} ago"
    told = f"in {_one(-seconds)}" if seconds <= -60 else told
    exact = f"{then.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
    text = Markup('<time datetime="{}" title="{}">{}</time>')
    return text.format(_machine(then), exact, told)


def _machine(then: datetime) -> str:
    return f"{then.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def _one(seconds: float) -> str:
    """Return a time by its greatest unit alone."""
    number, unit = in_words(seconds).split()[:2]
    return f"{number} {unit}"


def bounded(text: str, most: int = _MOST) -> str:
    """Return a text cut to so many characters."""
    return text if len(text) <= most else f"{text[: most - 1]}…"


def tool_url(name: str) -> str:
    """Return the address of a tool's page."""
    return url_for("tool", name=name)


def review_url(state: State) -> str:
    """Return where the release of a tool is reviewed that a gate holds; empty where none does."""
    held = state.status == "held" and state.holder in GATES.names
    return url_for("review", name=state.tool, version=state.newest) if held else ""


def sentence(state: State) -> str:
    """Return what happened, why it matters, and what to do where no link leads there."""
    told = sentence_of(
        state.tool, state.status, state.message, state.resolution, newest=state.newest
    )
    todo = "" if review_url(state) else told.todo
    return capitalize_first(" ".join(filter(None, (told.happened, told.matters, todo))))


def here() -> str:
    """Return the name of the route that answers."""
    return request.endpoint or ""


def nav() -> tuple[tuple[str, str], ...]:
    """Return the pages that the head of every page leads to."""
    return (("overview", "Overview"), ("now", "Now"), ("health", "Health"))


_GATES = {
    "binding": "Its version",
    "license": "Its terms",
    "compat": "What users would notice",
}
"""What each gate asks about; one that others add is called by its name."""


def gate_words(stage: str) -> str:
    """Return what a gate asks about, as a heading."""
    return _GATES.get(stage, stage)


def capitalize_first(text: str) -> str:
    """Return a sentence that begins with a capital letter; what is no word stays as it is."""
    return text[:1].upper() + text[1:] if text.partition(" ")[0].isalpha() else text


def counted(number: int, noun: str) -> str:
    """Return so many of something in words."""
    return f"{number:,} {noun}" + ("" if number == 1 else "s")


def size(before: int, after: int) -> str:
    """Return how large a file was and is, as a phrase."""
    if before and after and before != after:
        return f"{_bytes(before)} before, {_bytes(after)} now"
    return _bytes(after or before)


def _bytes(number: int) -> str:
    if number < 1000:
        return f"{number} bytes"
    told = float(number)
    for unit in ("KB", "MB", "GB"):
        told /= 1000
        if told < 999.5:
            return f"{told:.3g} {unit}"
    return f"{told / 1000:.3g} TB"


def elapsed(seconds: int) -> str:
    """Return how long something has been going on: minutes and seconds, or hours too."""
    minutes, rest = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


_CAME_TO = {
    FINE: "all is well",
    BUG: "it met a bug",
    USAGE: "it was called wrongly",
    HELD: "something waits for a person",
    LATER: "something is to be tried again later",
    SETUP: "the set-up must be mended",
}


def run_words(run: RunRow) -> str:
    """Return what an unattended run came to, in words."""
    if not run.finished:
        return "it runs, or was ended"
    return _CAME_TO.get(run.exit_status, f"it ended with status {run.exit_status}")


FILTERS = {"capitalize_first": capitalize_first}
GLOBALS = {
    "ago": ago,
    "in_words": in_words,
    "scale": scale(),
    "bounded": bounded,
    "tool_url": tool_url,
    "review_url": review_url,
    "sentence": sentence,
    "gate_words": gate_words,
    "meaning": of_finding,
    "size": size,
    "counted": counted,
    "elapsed": elapsed,
    "run_words": run_words,
    "here": here,
    "nav": nav,
    "url_for": url_for,
}
"""By the names that templates call them."""
