"""``toolsync keep``."""

from __future__ import annotations

import click

from toolsync.cli.session import Settings, note
from toolsync.model.errors import FINE


@click.command("keep")
@click.pass_obj
def command(settings: Settings) -> int:
    """Keep every status up to date for pages that may only read, until Ctrl-C ends it.

    toolsync-keeper.service starts it beside toolsync-web.service. On one's own machine toolsync
    serve does this itself.
    """
    from toolsync.maintain.keeping import keep
    from toolsync.system.clock import SystemClock

    settings.load_as_owner()
    keep(settings.load, SystemClock(), lambda line: note(line, {}))
    return FINE
