"""``toolsync doctor``."""

from __future__ import annotations

import click

from toolsync.cli import render
from toolsync.cli.session import Settings, say
from toolsync.model.errors import FINE, SETUP


@click.command("doctor")
@click.option("--target", metavar="TARGET", help="local, or ppa:OWNER/NAME.")
@click.option("--json", "as_json", is_flag=True, help="Print a list of objects.")
@click.pass_obj
def command(settings: Settings, target: str | None, as_json: bool) -> int:
    """Say what is missing on this machine, and how to get it.

    For a PPA also: key, rights, series, servers.
    """
    from toolsync.maintain.doctor import examine
    from toolsync.model.release import dump
    from toolsync.system.clock import SystemClock

    config = settings.load_as_owner()
    if target:
        config = config.for_target(target)
    checks = list(examine(config, SystemClock()))
    if as_json:
        render.as_json([dump(check) for check in checks])
    else:
        for check in checks:
            mark = render.styled("ok     ", fg="green") if check.fine else "MISSING"
            say(f"{mark}  {check.subject}: {check.message}")
            if check.resolution:
                say(f"         → {check.resolution}")
    return FINE if all(check.fine for check in checks) else SETUP
