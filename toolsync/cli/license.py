"""``toolsync license``."""

from __future__ import annotations

from pathlib import Path

import click

from toolsync.cli import render
from toolsync.cli.session import RegularFile, Settings, long_steps_shown, say
from toolsync.model.errors import FINE, HELD


@click.command("license")
@click.argument("old", type=RegularFile(folders=True))
@click.argument("new", type=RegularFile(folders=True))
@click.option("--diff", "show_diff", is_flag=True, help="Show which words changed.")
@click.option("--json", "as_json", is_flag=True, help="Print an object.")
@click.pass_obj
def command(settings: Settings, old: Path, new: Path, show_diff: bool, as_json: bool) -> int:
    """Compare the terms of two releases: archives (tar, zip, wheel, npm, .deb) or folders.

    The verdict is silent (exit status 0), review or block (3): years, holders and layout are no
    change; other words in a license text are, and so is what is carried along and was not before.
    """
    from toolsync.license.report import text_changes
    from toolsync.license.trees import compare_trees
    from toolsync.model.release import dump
    from toolsync.system.work import Workshop

    config = settings.load()
    with long_steps_shown(f"comparing the terms of {old.name} and {new.name}"):
        found = compare_trees(
            old,
            new,
            workshop=Workshop(config.state, config.build.work),
            limits=config.limits,
            cache=config.licenses if config.state.is_dir() else None,
        )
    if as_json:
        rows = [dump(change.finding, without="stage") for change in found.changes]
        render.as_json({"verdict": found.verdict, "findings": rows})
    else:
        say(f"{found.verdict}: {old.name} → {new.name}")
        render.table([(c.finding.severity, c.code, c.message) for c in found.changes])
    if show_diff and not as_json:
        say("\n".join(text_changes(found.old, found.new)))
    return FINE if found.verdict == "silent" else HELD
