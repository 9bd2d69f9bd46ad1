"""What ``toolsync approve`` and ``toolsync reject`` share."""

from __future__ import annotations

from collections.abc import Callable

import click

from toolsync.cli import render
from toolsync.cli.session import Settings, chosen_tool, opened, say, tool_names
from toolsync.gate.gates import GATES
from toolsync.model.errors import FINE

Command = Callable[..., object]


def arguments(function: Command) -> Command:
    """Add the arguments and options of a decision to a command."""
    for decorate in (
        click.pass_obj,
        click.option("--json", "as_json", is_flag=True, help="Print a list of objects."),
        click.option(
            "--stage",
            "stages",
            multiple=True,
            type=click.Choice(GATES.names),
            help="Decide over this gate alone.",
        ),
        click.option("--reason", required=True, metavar="TEXT", help="Why, in a sentence."),
        click.argument("version"),
        click.argument("tool", shell_complete=tool_names),
    ):
        function = decorate(function)
    return function


def decided(
    settings: Settings,
    verdict: str,
    tool: str,
    version: str,
    reason: str,
    stages: tuple[str, ...],
    as_json: bool,
) -> int:
    """Record a decision and say what comes of it."""
    from toolsync.model.values import dump
    from toolsync.pipeline.review import decide, questions
    from toolsync.system.account import account

    who = account()  # before root becomes the state's owner
    with opened(settings) as context:
        chosen = chosen_tool(context.config, tool)
        made = decide(
            context.journal,
            chosen.name,
            version,
            verdict=verdict,
            who=who,
            reason=reason,
            stages=stages,
        )
        open_still = [
            question.judged.key.stage
            for question in questions(context.journal, chosen.name, version)
            if question.decision is None
        ]
    if as_json:
        render.as_json([dump(decision) for decision in made])
        return FINE
    for decision in made:
        head = f"{chosen.name} {version}: {decision.who} {verdict}"
        say(f"{head} what the {decision.stage} gate found:\n  {decision.summary}")
    if open_still and verdict == "approved":
        say(f"It still waits at: {', '.join(open_still)}")
    elif verdict == "approved":
        say(f"It goes on at the next run, or now with: toolsync sync {chosen.name}")
    else:
        say("It is not offered again; a newer release is.")
    return FINE
