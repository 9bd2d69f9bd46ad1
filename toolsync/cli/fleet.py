"""``toolsync fleet``."""

from __future__ import annotations

import click

from toolsync.cli import render
from toolsync.cli.session import Settings, say
from toolsync.model.errors import FINE, SetupError


@click.command("fleet")
@click.option("--json", "as_json", is_flag=True, help="Print an object.")
@click.option("--retry", metavar="ID|all", help="Ask again for what was given up.")
@click.option("--forget", metavar="ID|all", help="Take it from the list.")
@click.pass_obj
def command(settings: Settings, as_json: bool, retry: str | None, forget: str | None) -> int:
    """Show who works, what runs, what waits, and what was given up.

    What was given up is tried again by the next run anyway; --retry lets workers begin now.
    """
    config = settings.load()
    if not config.fleet.broker:
        raise SetupError(
            "there is no fleet: [fleet] broker is not set",
            resolution="docs/howto/fleet.md tells how to make one.",
        )
    from toolsync.fleet import givenup
    from toolsync.fleet.overview import look

    for act, which, done in (
        (givenup.retry, retry, "asked for again"),
        (givenup.forget, forget, "forgotten"),
    ):
        for note in act(config.fleet.broker, which) if which else ():
            say(f"{done}: {note['what']} ({note['kind']})", err=True)
    if retry or forget:
        return FINE
    found = look(config.fleet.broker)
    if as_json:
        render.as_json({"version": 1, **found})
        return FINE
    for worker in found["workers"]:
        say(f"{worker['name']}: {', '.join(worker['queues'])}; {worker['running']} running")
    if not found["workers"]:
        say("no worker answers")
    for name, queue in found["queues"].items():
        say(
            f"{name}: {queue['workers']} workers, {queue['waiting']} waiting,"
            f" {len(queue['running'])} running, {queue['last_hour']} in the last hour"
        )
        for task in queue["running"]:
            say(f"  {task['what']}: {task['seconds']} s on {task['worker']}")
    for note in found["given_up"]:
        say(f"given up {note['at']} ({note['id']}): {note['kind']} {note['what']}: {note['why']}")
    return FINE
