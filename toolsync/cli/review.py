"""``toolsync review``."""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING

import click

from toolsync.cli import differences, render
from toolsync.cli.session import (
    Settings,
    chosen_tool,
    chosen_tools,
    opened,
    printable,
    say,
    tool_names,
)
from toolsync.model.errors import FINE, HELD, UsageError

if TYPE_CHECKING:
    from toolsync.model.judgment import Judgment
    from toolsync.pipeline.changes import Changes
    from toolsync.pipeline.context import Context
    from toolsync.pipeline.review import Question, Waiting

_COLORS = {"gone": "red", "come": "green"}
_DIFFERS = re.compile(rf"(?m)^{differences.MARGIN}[-+].*$")
"""A line of a file that differs."""


@click.command("review")
@click.argument("tool", shell_complete=tool_names, required=False)
@click.option("--diff", "with_diff", is_flag=True, help="Show TOOL's source and terms compared.")
@click.option("--json", "as_json", is_flag=True, help="Print a list of objects.")
@click.pass_obj
def command(settings: Settings, tool: str | None, with_diff: bool, as_json: bool) -> int:
    """List the releases that a gate holds for you, or show all that there is to know of TOOL's.

    With --diff also what is not as in the last release that passed: its terms, its source and its
    packaging, line by line. Decide with toolsync approve or toolsync reject. Exit status 3 while
    anything waits.
    """
    from toolsync.pipeline.changes import changes_of
    from toolsync.pipeline.review import waiting

    if with_diff and tool is None:
        raise UsageError("--diff is of one tool", resolution="Name it: toolsync review TOOL --diff")

    with opened(settings) as context:
        if tool is None:
            tools, _ = chosen_tools(context.config, ())
        else:
            tools = (chosen_tool(context.config, tool),)
        found = [item for one in tools for item in waiting(context.journal, one)]
        differing = {}
        if with_diff:
            differing = {
                item.version: changes_of(context, tools[0], item.version) for item in found
            }
        if as_json:
            render.as_json([_object(context, item, differing.get(item.version)) for item in found])
        elif not found:
            say(f"Nothing {f'of {tool} ' if tool else ''}waits for a decision.")
        elif tool is None:
            _list(found)
        else:
            screens = (_screen(context, item, differing.get(item.version)) for item in found)
            _show("\n".join(line for screen in screens for line in screen))
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


def _screen(context: Context, item: Waiting, changes: Changes | None) -> list[str]:
    """Return everything that a person needs to decide, as lines."""
    release = item.release
    head = f"{item.tool} {item.version} waits since {item.since}"
    lines = [head, f"  release page  {release['page']}", f"  file          {release['url']}"]
    lines += [f"  evidence      toolsync evidence {item.tool} {item.version}"]
    for question in item.questions:
        lines += ["", *_answer(context, question)]
    lines += differences.lines(changes, width=_width()) if changes else []
    lines += differences.steps(context, item.tool, item.version) if changes else []
    decide = f"{item.tool} {item.version} --reason 'why'"
    return [*lines, "", f"Decide: toolsync approve {decide}", f"    or: toolsync reject {decide}"]


def _answer(context: Context, question: Question) -> list[str]:
    from toolsync.pipeline.review import report_of

    said = question.judged.judgment
    against = f" (against {said.before})" if said.before else ""
    head = f"{said.stage}: {said.verdict}{against}"
    lines = [head, *_wrapped(said.summary), *_meant(said)]
    report = report_of(context.store, question)
    if report:
        return [*lines, *(f"  {line}".rstrip() for line in report.splitlines())]
    return [*lines, *(f"  {f.severity:<9} {f.message}" for f in said.findings)]


def _meant(said: Judgment) -> list[str]:
    """Return why what a person is asked about matters, and what to do, a kind of finding each."""
    from toolsync.model.meanings import of_finding

    grave = (f for f in said.findings if f.severity not in ("info", "additive"))
    kinds = dict.fromkeys((f.stage, f.code) for f in grave)
    meant = (of_finding(stage, code) for stage, code in kinds)
    return [line for m in meant if m.matters for line in _wrapped(f"{m.what} {m.matters} {m.todo}")]


def _wrapped(text: str) -> list[str]:
    import textwrap

    return textwrap.wrap(text, 100, initial_indent="  ", subsequent_indent="  ")


def _width() -> int:
    import shutil

    return min(160, shutil.get_terminal_size().columns)


def _show(text: str) -> None:
    """Print a screen; on a terminal through a pager, with what a diff adds and removes in color."""
    clean = printable(text)
    if not sys.stdout.isatty():
        say(clean)
        return
    from toolsync.license.worddiff import marked

    bold = re.sub(r"(?m)^\S.*$", lambda found: render.styled(found[0], bold=True), clean)
    pieces = (_colored(kind, piece) for kind, piece in marked(bold))
    click.echo_via_pager(_DIFFERS.sub(_signed, "".join(pieces)) + "\n")


def _signed(line: re.Match[str]) -> str:
    return _colored("gone" if line[0].lstrip()[0] == "-" else "come", line[0])


def _colored(kind: str, piece: str) -> str:
    return render.styled(piece, fg=_COLORS[kind]) if kind else piece


def _object(context: Context, item: Waiting, changes: Changes | None) -> dict[str, object]:
    """Return a held release as ``review --json`` prints it, with --diff what differs in it."""
    from toolsync.model.values import dump
    from toolsync.pipeline.review import as_object

    found = as_object(context.store, item)
    return {**found, "changes": dump(changes)} if changes else found
