"""``toolsync fetch``."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import click

from toolsync.cli import render
from toolsync.cli.session import Settings, chosen_tool, opened, say, tool_names
from toolsync.model.errors import UsageError


@click.command("fetch")
@click.argument("tool", shell_complete=tool_names, metavar="[TOOL|DIR]", default=".")
@click.option(
    "--version", "--download-version", "wanted", help="This version instead of the newest."
)
@click.option(
    "--output",
    "-o",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path(),
    help="The folder for the files; the current one if not given.",
)
@click.option(
    "--no-exclusion", is_flag=True, help="Leave nothing out, whatever Files-Excluded say."
)
@click.option("--timeout", type=click.IntRange(1), help="Seconds to wait for a server.")
@click.option("--user-agent", default="", help="The name under which servers are asked.")
@click.option(
    "--http-header",
    "headers",
    multiple=True,
    metavar="BASE@NAME=VALUE",
    help="A header for addresses that start with BASE, and for no other; may be repeated.",
)
@click.option("--json", "as_json", is_flag=True, help="Print an object.")
@click.pass_obj
def command(
    settings: Settings,
    tool: str,
    wanted: str | None,
    output: Path,
    no_exclusion: bool,
    timeout: int | None,
    user_agent: str,
    headers: tuple[str, ...],
    as_json: bool,
) -> int:
    """Fetch, verify and unpack the newest release of TOOL into a folder, and nothing else.

    A refused release leaves nothing there.
    """
    from toolsync.model.release import dump
    from toolsync.pipeline.obtain import obtain

    with opened(settings, timeout=timeout) as context:
        http = context.http.dressed(user_agent=user_agent, secrets=_secrets(headers))
        context = replace(context, http=http)
        chosen = chosen_tool(context.config, tool)
        found = obtain(context, chosen, wanted, output, exclude=not no_exclusion)
    if as_json:
        row = dump(found)
        left = ("resolution", "exit_status", *(() if found.warnings else ("warnings",)))
        render.as_json({k: v for k, v in row.items() if k not in left})
        return found.exit_status
    if found.accepted:
        say(f"{output / str(found.orig)} ({found.message})")
    else:
        say(f"{found.tool} {found.version or ''}: {found.status}: {found.message}")
        if found.resolution:
            say(f"  → {found.resolution}")
    for warning in found.warnings:
        say(f"  ! {warning}", err=True)
    return found.exit_status


def _secrets(headers: tuple[str, ...]) -> dict[str, dict[str, str]]:
    """Return the headers by the start of the addresses that they are for."""
    found: dict[str, dict[str, str]] = {}
    for header in headers:
        base, at, pair = header.rpartition("@")
        name, equals, value = pair.partition("=")
        if not (at and equals and name.strip() and "://" in base):
            # Its value may be a password, so the header is not repeated.
            raise UsageError(
                "--http-header is not of the form BASE@NAME=VALUE, with an address as BASE",
                resolution="Write, for example, https://example.org/@Token=SECRET.",
            )
        found.setdefault(base, {})[name.strip()] = value
    return found
