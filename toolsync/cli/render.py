"""Put results on the screen: a table for people, JSON for scripts."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from itertools import islice
from typing import Any

import click

from toolsync.cli.session import printable, say
from toolsync.model.release import Outcome
from toolsync.model.text import escaped_json

_STYLE: dict[str, dict[str, object]] = {
    "up-to-date": {"fg": "green"},
    "new": {"fg": "cyan", "bold": True},
    "held": {"fg": "yellow", "bold": True},
}
_VERDICT = {"good": "green", "bad": "red", "missing": "yellow", "elsewhere": "cyan"}
_ALARM: dict[str, object] = {"fg": "red", "bold": True}


def as_json(data: object) -> None:
    """Print data as JSON."""
    narrow = "utf" not in (sys.stdout.encoding or "utf-8").lower()
    parts = json.JSONEncoder(indent=2, ensure_ascii=narrow).iterencode(data)
    while some := "".join(islice(parts, 1000)):  # of very many tools the whole is long
        sys.stdout.write(escaped_json(some))
    sys.stdout.write("\n")
    sys.stdout.flush()


def outcome_row(outcome: Outcome) -> dict[str, object]:
    """Return the fields that ``check --json`` promises, and ``warnings`` where there are any."""
    names = ("tool", "current", "newest", "status", "url", "message")
    row = {name: getattr(outcome, name) for name in names}
    return {**row, "warnings": list(outcome.warnings)} if outcome.warnings else row


def outcomes(found: Sequence[Outcome]) -> None:
    """Print a line per tool: name, versions, status, reason; below it what to do."""
    width = max((len(outcome.tool) for outcome in found), default=0)
    for outcome in found:
        status = styled(f"{outcome.status:<11}", **_STYLE.get(outcome.status, _ALARM))
        click.echo(f"{printable(outcome.tool):<{width}}  {status}  ", nl=False)
        say(outcome.message)
        if outcome.resolution:
            say(f"{'':<{width}}  → {outcome.resolution}")
        for warning in outcome.warnings:
            say(f"{'':<{width}}  ! {warning}")


def table(rows: Sequence[Sequence[str]]) -> None:
    """Print rows in columns as wide as they need to be."""
    if not rows:
        return
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    lines = (
        printable("  ".join([f"{cell:<{w}}" for cell, w in zip(row, widths, strict=True)]).rstrip())
        for row in rows
    )
    while some := "\n".join(islice(lines, 1000)):  # each call is one write
        click.echo(some)


def checks(found: Sequence[tuple[str, str, str]]) -> None:
    """Print checks, each a verdict, a place and a sentence, and what they came to."""
    for verdict, place, sentence in found:
        click.echo(f"{styled(f'{verdict:<9}', fg=_VERDICT[verdict])}  ", nl=False)
        say(f"{place}: {sentence}")
    wrong = [place for verdict, place, _ in found if verdict in ("bad", "missing")]
    if wrong:
        say(f"It does not stand: {len(wrong)} of {len(found)} checks, at {wrong[0]} first.")
    else:
        say(f"It stands: {len(found)} checks, nothing wrong.")


def styled(text: str, **style: Any) -> str:
    """Return text in color where colors are wanted (a terminal, and no NO_COLOR)."""
    import os

    if os.environ.get("NO_COLOR") or not sys.stdout.isatty():
        return text
    return click.style(text, **style)
