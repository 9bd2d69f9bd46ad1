"""``toolsync fleet``."""

from __future__ import annotations

import click

from toolsync.cli import render
from toolsync.cli.session import Settings, say
from toolsync.model.errors import FINE, SetupError


@click.command("fleet")
@click.option("--json", "as_json", is_flag=True, help="Print an object.")
@click.pass_obj
def command(settings: Settings, as_json: bool) -> int:
    """Show who works, what runs, what waits, and what was given up."""
    config = settings.load()
    if not config.fleet.broker:
        raise SetupError(
            "there is no fleet: [fleet] broker is not set",
            resolution="docs/howto/fleet.md tells how to make one.",
        )
    from toolsync.fleet.overview import look

    found = look(config.fleet.broker)
    if as_json:
        render.as_json({"version": 1, **found})
        return FINE
    for worker in found["workers"]:
        say(f"{worker['name']}: {', '.join(worker['queues'])}; {worker['running']} running")
    if not found["workers"]:
        say("no worker answers")
    for queue, waiting in found["waiting"].items():
        say(f"{queue}: {waiting} waiting")
    for note in found["given_up"]:
        say(f"given up {note['at']}: {note['what']}: {note['why']}")
    return FINE
