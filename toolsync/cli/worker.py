"""``toolsync worker``."""

from __future__ import annotations

import click

from toolsync.cli.session import Settings, say
from toolsync.model.errors import FINE, SetupError


@click.command("worker")
@click.option("--queues", help="What it does, by commas; all that this machine can if not given.")
@click.option("--at-once", type=click.IntRange(1), help="How many tasks it does at the same time.")
@click.option("--name", help="By what it is known; its process and machine if not given.")
@click.pass_obj
def command(settings: Settings, queues: str | None, at_once: int | None, name: str | None) -> int:
    """Do tasks for a fleet's coordinator until this is stopped.

    It needs [fleet] broker and [store] url in toolsync.toml, and no key and no journal. What it may
    use of this machine says [build], as for builds that one machine does for itself. Queues are
    build.ARCHITECTURE, look, scan and surface.
    """
    from toolsync.maintain.work import work

    config = settings.load_as_owner()
    if not config.fleet.broker:
        raise SetupError(
            "this machine is in no fleet: [fleet] broker is not set",
            resolution="Name the broker and the store in toolsync.toml: docs/howto/fleet.md.",
        )
    say(f"working for {queues or 'all that this machine can do'}; Ctrl-C ends it", err=True)
    work(config, queues.split(",") if queues else [], at_once or 0, name or "")
    return FINE
