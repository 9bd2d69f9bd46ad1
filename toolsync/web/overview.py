"""The overview: every tool, those first that wait for somebody."""

from __future__ import annotations

from dataclasses import fields

from flask import render_template, url_for
from flask.typing import ResponseReturnValue

from toolsync.journal.states import Asked, State
from toolsync.web.lists import asked_for, listed
from toolsync.web.request import config, context

_EACH = 50
_NAMES = {"text": "q"}


def page() -> ResponseReturnValue:
    """Show the list, as it is searched, filtered, sorted and paged."""
    asked = asked_for(_EACH)
    found = listed(asked)
    choices = context().journal.states.choices()
    return render_template(
        "overview.html.j2",
        title=f"{config().local.label} archive",
        found=found,
        asked=asked,
        choices=choices,
        link=lambda **other: link(asked, **other),
        served=served,
        target=config().target,
    )


def link(asked: Asked, **other: str | int) -> str:
    """Return the address of the same list with something changed; it begins at its first page."""
    names = [field.name for field in fields(asked) if field.name != "most"]
    values = {name: getattr(asked, name) for name in names} | {"first": 0} | other
    query = {_NAMES.get(name, name): value for name, value in values.items() if value}
    return url_for("overview", **query)


def served(state: State) -> list[tuple[str, str, list[str]]]:
    """Return which upstream version stands where: version, target, its series."""
    found: dict[tuple[str, str], list[str]] = {}
    for place in state.places:
        version = place.version.partition("~")[0].rpartition("-")[0] or place.version
        found.setdefault((version, place.target), []).append(place.series)
    return [(version, target, series) for (version, target), series in found.items()]
