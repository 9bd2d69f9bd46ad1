"""``toolsync compat``."""

from __future__ import annotations

from pathlib import Path

import click

from toolsync.cli import render
from toolsync.cli.session import RegularFile, Settings, long_steps_shown, say
from toolsync.model.errors import FINE, HELD

_PLACE = RegularFile(folders=True)


@click.command("compat")
@click.argument("old", type=_PLACE)
@click.argument("new", type=_PLACE)
@click.option("--no-probe", is_flag=True, help="Run nothing, read files alone.")
@click.option("--json", "as_json", is_flag=True, help="Print an object.")
@click.pass_obj
def command(settings: Settings, old: Path, new: Path, no_probe: bool, as_json: bool) -> int:
    """Say what users of OLD would miss in NEW; each is an archive or an unpacked tree.

    Commands are run in a sandbox without network, to see their help and whether options that
    are no longer named are still taken. The verdict is same, additive, unknown, risky or
    breaking. Exit status: 0 for same and additive, 3 for the others.
    """
    from toolsync.compat.archives import compare_files
    from toolsync.compat.verdict import report_of, verdict_of
    from toolsync.model.judgment import PASSING

    with long_steps_shown(f"comparing {old.name} and {new.name}"):
        changes = compare_files(old, new, config=settings.load(), probe=not no_probe)
    verdict = verdict_of(changes)
    if as_json:
        render.as_json({"verdict": verdict, "changes": [change.told() for change in changes]})
    else:
        say(f"{verdict}\n{report_of(changes)}".rstrip())
    return FINE if verdict in PASSING else HELD
