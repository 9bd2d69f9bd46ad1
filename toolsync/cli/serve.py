"""``toolsync serve``."""

from __future__ import annotations

import sys

import click

from toolsync.cli.session import Settings, note
from toolsync.model.errors import FINE, SetupError


@click.command("serve")
@click.option(
    "--listen",
    metavar="PLACE",
    help="ADDRESS:PORT or unix:PATH, instead of [web] listen or 127.0.0.1:8765.",
)
@click.pass_obj
def command(settings: Settings, listen: str | None) -> int:
    """Show where every tool stands in a browser, until Ctrl-C ends it.

    Who may read is said with toolsync user. Without a proxy in front of it that
    speaks TLS, let it listen on this machine alone.
    """
    config = settings.load_as_owner()
    try:
        from toolsync.web.server import serve
    except ModuleNotFoundError as error:
        raise SetupError(
            f"the library {error.name} is not on this machine",
            resolution="Install it with: apt install python3-flask python3-waitress",
        ) from error
    words = [sys.executable, "-m", "toolsync", *settings.words, "errand"]
    serve(settings.load, listen or config.web.listen, lambda line: note(line, {}), words)
    return FINE
