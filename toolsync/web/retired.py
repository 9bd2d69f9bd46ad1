"""What was taken out of the plan, who did so and why: to be followed again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from flask import render_template
from flask.typing import ResponseReturnValue

from toolsync.config.definition import Tool
from toolsync.journal.followed import Retirement
from toolsync.model.values import dump
from toolsync.web.api import VERSION, as_json
from toolsync.web.asking import mark_of
from toolsync.web.request import config, context, person, shared

_MOST = 1000
"""Rows that are shown; the log of each tool has its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """Something that was retired."""

    said: Retirement
    known: bool
    """Whether it is defined still, so that there is a page of it and it can be followed again."""
    shown: str
    """What a form that asks for that must carry."""


def page() -> ResponseReturnValue:
    """Show all of it, the latest first."""
    rows = list(_rows())
    may = person().may("reviewer")
    return render_template("retired.html.j2", rows=rows[:_MOST], more=len(rows) - _MOST, may=may)


def api() -> ResponseReturnValue:
    """Return the same as JSON."""
    return as_json({"version": VERSION, "retired": [dump(row.said) for row in _rows()]})


def _rows() -> Iterator[Row]:
    journal = context().journal
    found = sorted(journal.followed.retired().values(), key=lambda one: one.at, reverse=True)
    for said in found:
        one = None if said.part else shared().plan.one(config(), said.tool)
        known = one is not None and isinstance(one.found, Tool)
        mark = mark_of(journal.states.get(said.tool)) if known else ""
        yield Row(said=said, known=known, shown=mark)
