"""``toolsync scrub``."""

from __future__ import annotations

import click

from toolsync.cli import render
from toolsync.cli.session import Settings, chosen_tools, opened, progress_bar, say
from toolsync.model.errors import FINE, SETUP, ToolsyncError
from toolsync.system.underway import step


@click.command("scrub")
@click.option("--share", is_flag=True, help="Look at no more than a run does by itself.")
@click.option("--json", "as_json", is_flag=True, help="Print an object.")
@click.pass_obj
def command(settings: Settings, share: bool, as_json: bool) -> int:
    r"""Digest every file of store and archive; name what is damaged, and mend it.

    \b
    A damaged file of the store is put aside, and comes anew from the archive's pool
    or from upstream's page if they have the very bytes. What cannot be had is told
    with its digest, its path and what uses it, until it is back. Faults of the
    archive are told: toolsync archive repair mends those. toolsync run looks at a
    share each time. Exit status 5 while something is not mended.

    \b
      toolsync scrub                   look at everything now
      toolsync scrub --json            the same for a script
    """
    from toolsync.maintain.scrub import scrub
    from toolsync.model.values import dump

    with opened(settings, lock="scrub") as context:
        try:
            tools = chosen_tools(context.config, ())[0]
        except ToolsyncError:
            tools = ()  # then upstream cannot be asked; what is damaged is told all the same
        with step("scrub"):
            done = scrub(context, tools, share=share, progress=progress_bar("digested"))
    if as_json:
        render.as_json({"version": 1, **dump(done)})
    else:
        for item in done.damage:
            say(f"{item.place}: {item.text}")
            if item.resolution:
                say(f"  → {item.resolution}")
        say(f"{done.files:,} files, {done.size:,} bytes digested; {len(done.lost)} not mended")
    return SETUP if done.lost else FINE
