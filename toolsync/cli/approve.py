"""``toolsync approve``."""

from __future__ import annotations

import click

from toolsync.cli.decision import arguments, decided
from toolsync.cli.session import Settings


@click.command("approve")
@arguments
def command(
    settings: Settings,
    tool: str,
    version: str,
    reason: str,
    stages: tuple[str, ...],
    as_json: bool,
) -> int:
    """Let VERSION of TOOL go on, though a gate holds it; see toolsync review TOOL first.

    The decision is recorded with your account, the time and the reason. It holds for exactly
    what the gate judged: other bytes, other terms or another policy ask again. Terms that were
    approved once are approved in later releases too.
    """
    return decided(settings, "approved", tool, version, reason, stages, as_json)
