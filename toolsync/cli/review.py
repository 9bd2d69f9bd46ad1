"""``toolsync review``."""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING

import click

from toolsync.cli import render
from toolsync.cli.session import (
    Settings,
    chosen_tool,
    chosen_tools,
    opened,
    printable,
    say,
    tool_names,
)
from toolsync.model.errors import FINE, HELD

if TYPE_CHECKING:
    from toolsync.pipeline.context import Context
    from toolsync.pipeline.review import Question, Waiting

_COLORS = {"gone": "red", "come": "green"}


@click.command("review")
@click.argument("tool", shell_complete=tool_names, required=False)
@click.option("--json", "as_json", is_flag=True, help="Print a list of objects.")
@click.pass_obj
def command(settings: Settings, tool: str | None, as_json: bool) -> int:
    """List the releases that a gate holds for you, or show all that there is to know of TOOL's.

    Decide with toolsync approve or toolsync reject. Exit status 3 while anything waits.
    """
    from toolsync.pipeline.review import waiting

    with opened(settings) as context:
        if tool is None:
            tools, _ = chosen_tools(context.config, ())
        else:
            tools = (chosen_tool(context.config, tool),)
        found = [item for one in tools for item in waiting(context.journal, one)]
        if as_json:
            render.as_json([_object(context, item) for item in found])
        elif not found:
            say(f"Nothing {f'of {tool} ' if tool else ''}waits for a decision.")
        elif tool is None:
            _list(found)
        else:
            _show("\n".join(line for item in found for line in _screen(context, item)))
    return HELD if found else FINE


def _list(found: list[Waiting]) -> None:
    rows = [("TOOL", "VERSION", "SINCE", "GATE", "WHAT IT SAYS")]
    for item in found:
        for question in item.questions:
            said = question.judged.judgment
            gate = f"{said.stage}: {said.verdict}"
            rows.append((item.tool, item.version, item.since, gate, said.summary))
    render.table(rows)
    say("\nLook at one with: toolsync review TOOL")


def _screen(context: Context, item: Waiting) -> list[str]:
    """Return everything that a person needs to decide, as lines."""
    release = item.release
    head = f"{item.tool} {item.version} waits since {item.since}"
    lines = [head, f"  release page  {release['page']}", f"  file          {release['url']}"]
    lines += [f"  evidence      toolsync evidence {item.tool} {item.version}"]
    for question in item.questions:
        lines += ["", *_answer(context, question)]
    decide = f"{item.tool} {item.version} --reason 'why'"
    return [*lines, "", f"Decide: toolsync approve {decide}", f"    or: toolsync reject {decide}"]


def _answer(context: Context, question: Question) -> list[str]:
    from toolsync.pipeline.review import report_of

    said = question.judged.judgment
    against = f" (against {said.before})" if said.before else ""
    head = f"{said.stage}: {said.verdict}{against}"
    lines = [head, *_wrapped(said.summary)]
    report = report_of(context.store, question)
    if report:
        return [*lines, *(f"  {line}".rstrip() for line in report.splitlines())]
    return [*lines, *(f"  {f.severity:<9} {f.message}" for f in said.findings)]


def _wrapped(text: str) -> list[str]:
    import textwrap

    return textwrap.wrap(text, 100, initial_indent="  ", subsequent_indent="  ")


def _show(text: str) -> None:
    """Print a screen; on a terminal through a pager, with what a diff adds and removes in color."""
    clean = printable(text)
    if not sys.stdout.isatty():
        say(clean)
        return
    from toolsync.license.worddiff import marked

    bold = re.sub(r"(?m)^\S.*$", lambda found: render.styled(found[0], bold=True), clean)
    pieces = (_colored(kind, piece) for kind, piece in marked(bold))
    click.echo_via_pager("".join(pieces) + "\n")


def _colored(kind: str, piece: str) -> str:
    return render.styled(piece, fg=_COLORS[kind]) if kind else piece


def _object(context: Context, item: Waiting) -> dict[str, object]:
    """Return a held release as ``review --json`` prints it."""
    from toolsync.model.values import dump
    from toolsync.pipeline.review import report_of

    release = item.release
    return {
        "tool": item.tool,
        "version": item.version,
        "since": item.since,
        "page": release["page"],
        "url": release["url"],
        "gates": [
            {**dump(question.judged.judgment), "text": report_of(context.store, question)}
            for question in item.questions
        ],
    }
