"""``toolsync completion``."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

from toolsync.cli.main import group
from toolsync.model.errors import FINE


@click.command("completion")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def command(shell: str) -> int:
    """Print what makes a shell complete commands and options.

    For bash, put it into ~/.local/share/bash-completion/completions/toolsync; for zsh, into
    _toolsync in a folder of $fpath; for fish, into ~/.config/fish/completions/toolsync.fish.
    The Debian package has done so already.
    """
    kind = get_completion_class(shell)
    assert kind is not None
    click.echo(kind(group, {}, "toolsync", "_TOOLSYNC_COMPLETE").source())
    return FINE
