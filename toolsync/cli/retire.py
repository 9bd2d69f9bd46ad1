"""``toolsync retire``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from toolsync.cli import render
from toolsync.cli.session import Settings, opened, places_of, read_tools, say, tool_names
from toolsync.model.errors import FINE, SetupError
from toolsync.model.values import dump

if TYPE_CHECKING:
    from toolsync.maintain.retire import Retired


@click.command("retire")
@click.argument("tool", shell_complete=tool_names)
@click.option("--remove", is_flag=True, help="Serve its packages no longer, on all series.")
@click.option("--leftovers", is_flag=True, help="Only what its newest packages do not have.")
@click.option("--undo", is_flag=True, help="Follow it again.")
@click.option("--reason", default="", metavar="TEXT", help="Why, in a sentence.")
@click.option("--target", metavar="TARGET", help="local, or ppa:OWNER/NAME.")
@click.option("--dry-run", is_flag=True, help="Say what would be done, and do nothing.")
@click.option("--json", "as_json", is_flag=True, help="Print an object.")
@click.pass_obj
def command(
    settings: Settings,
    tool: str,
    remove: bool,
    leftovers: bool,
    undo: bool,
    reason: str,
    target: str | None,
    dry_run: bool,
    as_json: bool,
) -> int:
    """Take TOOL out of the plan; what is published of it goes on being served.

    It is recorded with your account, the time and the reason. From then on the tool is not synced,
    and what is served of it is told as orphaned no longer. With --remove its packages leave the
    local archive, on all series at once; of a PPA it is said what to delete there. A command that
    was killed is to be run again.

    toolsync retire hello --reason "hello2 is its successor" lets hello be served on.

    toolsync retire hello --remove --dry-run says what would be served no longer.

    toolsync retire hello --leftovers --remove takes away binary packages that hello has no longer,
    and all that it has in series that are not set up.

    toolsync retire hello --undo follows it again.
    """
    from toolsync.maintain.retire import Wish, resume, retire
    from toolsync.system.account import account

    wish = Wish(
        tool=tool,
        who=account(),  # before root becomes the state's owner
        reason=reason,
        remove=remove,
        leftovers=leftovers,
        dry_run=dry_run,
    )
    with opened(settings, lock="" if dry_run else "retire", target=target) as context:
        each, faults = read_tools(context.config, places_of(context.config, ()))
        tools = tuple(each)
        try:
            faulty = faults()
        except SetupError:  # no tool is left: then none is in the way
            faulty = ()
        done = resume(context, wish, tools) if undo else retire(context, wish, tools, faulty)
    if as_json:
        render.as_json(dump(done))
    else:
        _show(done, dry_run)
    return FINE


def _show(done: Retired, dry_run: bool) -> None:
    would = "would be " if dry_run else ""
    say(f"{done.tool}: {would}{done.act}" + ("" if done.parts else ": there is nothing left over"))
    for text in done.removed:
        say(f"  {would}removed: {text}")
    for text in done.served:
        say(f"  still served: {text}")
    for text in done.by_hand:
        say(f"  {text}")
