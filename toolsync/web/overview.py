"""The overview: every tool, those first that wait for somebody."""

from __future__ import annotations

from dataclasses import fields

from flask import render_template, url_for
from flask.typing import ResponseReturnValue

from toolsync.journal.states import Asked, State
from toolsync.report.lag import in_words
from toolsync.report.listing import Row, grouped, wants_words
from toolsync.web.lists import asked_for, listed
from toolsync.web.request import config, context
from toolsync.web.words import ago, bounded, review_url, sentence, tool_url

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
        rows=[row(state) for state in found.tools],
        target=config().target,
        retired=len(context().journal.followed.retired()),
    )


def link(asked: Asked, **other: str | int) -> str:
    """Return the address of the same list with something changed; it begins at its first page."""
    names = [field.name for field in fields(asked) if field.name != "most"]
    values = {name: getattr(asked, name) for name in names} | {"first": 0} | other
    query = {_NAMES.get(name, name): value for name, value in values.items() if value}
    return url_for("overview", **query)


def row(state: State) -> Row:
    """Return a tool's row of the list."""
    told = wants_words(state.status, state.resolution)
    return Row(
        name=state.tool,
        href=tool_url(state.tool),
        summary=state.summary,
        status=state.status,
        newest=state.newest,
        places=grouped(state.places),
        lag=in_words(state.lag) if state.lag >= 0 else "",
        seconds=state.lag,
        why=bounded(sentence(state), 260) if told else "",
        review=review_url(state) if told else "",
        more=(ago(state.since),),
    )
