"""``toolsync reject``."""

from __future__ import annotations

import click

from toolsync.cli.decision import arguments, decided
from toolsync.cli.session import Settings


@click.command("reject")
@arguments
def command(
    settings: Settings,
    tool: str,
    version: str,
    reason: str,
    stages: tuple[str, ...],
    as_json: bool,
) -> int:
    """Keep VERSION of TOOL out: it is never offered again, and toolsync why says so.

    The decision is recorded with your account, the time and the reason. Until the release is
    published, toolsync approve can still replace it.
    """
    return decided(settings, "rejected", tool, version, reason, stages, as_json)
