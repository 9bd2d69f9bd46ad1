"""What a request for the list of tools asks for, and the list: for the page and the API."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from flask import request

from toolsync.journal.states import ORDER, SORTS, Asked, State
from toolsync.maintain.overview import refresh, refresh_stale
from toolsync.model.errors import Busy, UsageError
from toolsync.web.request import context, shared

MOST = 200
"""Tools on one page."""
_AT_ONCE = 40
"""Statuses that a request brings up to date itself; the server's own thread does the rest."""
_LONGEST = 200
"""Characters of what is searched for."""
_STATUSES = (*filter(None, ORDER), "none", "waiting")


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """A page of the list."""

    asked: Asked
    tools: list[State]
    total: int
    """How many there are that meet what is asked for."""
    counts: Mapping[str, int]
    """How many of each status there are in all."""
    behind: int
    """Statuses that are about to be computed anew."""

    @property
    def every(self) -> int:
        """How many tools there are in all."""
        return sum(self.counts.values())


def asked_for(most: int) -> Asked:
    """Return what the request's query asks for; raise UsageError where that is nothing."""
    given = {name: value.strip() for name, value in request.args.items()}
    return Asked(
        text=_text("q", given),
        status=_one_of("status", given, _STATUSES),
        series=_text("series", given),
        area=_text("area", given),
        holder=_text("holder", given),
        sort=_one_of("sort", given, SORTS),
        first=number(given, "first", 0, 0, 10_000_000),
        most=number(given, "most", most, 1, MOST),
    )


def listed(asked: Asked) -> Listed:
    """Return a page of the list, with what was written of its tools until now."""
    journal = context().journal
    behind = bring_up_to_date()
    with journal.one_moment():
        tools, total = journal.states.listed(asked)
        counts = journal.states.counts()
    return Listed(asked=asked, tools=tools, total=total, counts=counts, behind=behind)


def bring_up_to_date() -> int:
    """Compute what is out of date, where it is little; return how much is left.

    A server that may only read leaves all of it to who keeps the journal.
    """
    if shared().acting.reads:
        states = context().journal.states
        known = sum(states.counts().values())
        return len(states.stale()) + max(0, shared().plan.size() - known)
    try:
        if not context().journal.states.counts():
            refresh(context(), shared().plan, most=_AT_ONCE)  # the first request of all
        left = refresh_stale(context(), shared().plan, most=_AT_ONCE)
        known = sum(context().journal.states.counts().values())
        return left + max(0, shared().plan.size() - known)
    except Busy:
        return len(context().journal.states.stale())  # another writes: what is known is shown


def _text(name: str, given: Mapping[str, str]) -> str:
    value = given.get(name, "")
    if len(value) > _LONGEST:
        raise UsageError(
            f"{name} has {len(value)} characters; wanted: at most {_LONGEST}",
            resolution="Ask for less.",
        )
    return value


def _one_of(name: str, given: Mapping[str, str], known: tuple[str, ...]) -> str:
    value = given.get(name, "")
    if value and value not in known:
        raise UsageError(
            f"{name} is {value[:40]!r}; wanted: {', '.join(filter(None, known))}",
            resolution="Choose one of these.",
        )
    return value


def number(given: Mapping[str, str], name: str, default: int, least: int, most: int) -> int:
    """Return a number of a query; raise UsageError where it is none, or beyond its bounds."""
    text = given.get(name, "")
    if not text:
        return default
    if not (text.isascii() and text.isdecimal() and len(text) < 9 and least <= int(text) <= most):
        raise UsageError(
            f"{name} is {text[:40]!r}; wanted: a number from {least} to {most}",
            resolution="Ask for fewer.",
        )
    return int(text)
