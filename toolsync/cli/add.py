"""``toolsync add``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from toolsync.cli import render
from toolsync.cli.session import Settings, opened, say
from toolsync.model.errors import FINE, SetupError, UsageError

if TYPE_CHECKING:
    from toolsync.adopt.add import Proposal
    from toolsync.build.stage import Product

_SHOWN = 10
_EXAMPLES = """\b
Examples:
  toolsync add https://vendor.example/releases/
  toolsync add https://forge.example/owner/project --name hello --yes --build
"""


@click.command("add", epilog=_EXAMPLES)
@click.argument("url")
@click.option("--name", default="", help="The tool's name, where the page does not tell it.")
@click.option(
    "--output",
    "-o",
    type=click.Path(path_type=Path, file_okay=False),
    help="The folder that gets the tool's folder, instead of your own folder of tools.",
)
@click.option("--yes", "-y", is_flag=True, help="Write it without asking.")
@click.option("--build", "build", is_flag=True, help="Build it at once, and publish nothing.")
@click.option("--json", "as_json", is_flag=True, help="Print an object; write only with --yes.")
@click.pass_obj
def command(
    settings: Settings,
    url: str,
    name: str,
    output: Path | None,
    yes: bool,
    build: bool,
    as_json: bool,
) -> int:
    """Look at a release page and write a first tool.toml for it, with a debian/ that builds.

    The page's kind, the pattern, the version's form and what proves a release are told from the
    page; how it is built, what building needs, its terms and what it does from the newest
    release, which is read and not run. What could not be decided is said, and stands in the file.
    The releases that it finds are shown first.
    """
    from toolsync.adopt.add import default_place, propose_tool, write_tool

    if not url.startswith(("http://", "https://")):
        raise UsageError(
            f"{url!r} is no address; wanted: one that begins with http:// or https://",
            resolution="Name the page on which releases appear.",
        )
    with opened(settings) as context:
        place = output or default_place(context.config)
        proposal = propose_tool(context, url, name=name, tell=lambda line: say(line, err=True))
    if not as_json:
        _show(proposal)
    folder: Path | None = None
    built: Product | None = None
    if yes or (not as_json and _confirmed(place / proposal.name)):
        folder = write_tool(proposal, place)
        if not as_json:
            say(f"written: {folder / 'tool.toml'}")
        built = _built(settings, proposal, folder) if build else None
    if as_json:
        render.as_json(_object(proposal, url, folder, built))
    elif folder is None:
        say("nothing was written")
    elif built:
        _show_built(built)
    else:
        say(f"  → Look it over, complete {folder / 'debian'}, then: toolsync check {folder}")
    return FINE


def _built(settings: Settings, proposal: Proposal, folder: Path) -> Product:
    """Build what was written; what is made of it is published nowhere."""
    from toolsync.adopt.trial import try_build
    from toolsync.setup.tools import load_tool

    if proposal.archive is None:
        raise SetupError(
            f"nothing was built: {proposal.undecided[-1]}",
            resolution=f"Complete {folder / 'debian'}, then: toolsync sync {folder}",
        )
    with opened(settings, lock="add") as context:
        say(f"building {proposal.name} {proposal.releases[0].version} …", err=True)
        return try_build(context, load_tool(folder), proposal.releases[0], proposal.archive)


def _show_built(built: Product) -> None:
    for file in built.files:
        if file.name.endswith(".deb"):
            say(f"built: {file.name}, {file.size:,} bytes; tests: {built.tests}")
    for finding in built.findings:
        say(f"  {finding.message}")


def _show(proposal: Proposal) -> None:
    rows = [(r.version, r.published or "-", r.url) for r in proposal.releases[:_SHOWN]]
    render.table([("VERSION", "PUBLISHED", "FILE"), *rows])
    left = len(proposal.releases) - _SHOWN
    if left > 0:
        say(f"… and {left} older ones")
    say("")
    say(proposal.toml)
    if proposal.system:
        say(f"built by: {proposal.system}")
    for question in proposal.undecided:
        say(f"to be decided: {question}")


def _confirmed(folder: Path) -> bool:
    if not sys.stdin.isatty():
        raise UsageError(
            "nothing was written: nobody is there to say whether these are the releases",
            resolution="Say so with --yes.",
        )
    return click.confirm(f"Are these the releases? Write {folder}", default=True, err=True)


def _object(
    proposal: Proposal, url: str, folder: Path | None, built: Product | None
) -> dict[str, object]:
    return {
        "tool": proposal.name,
        "kind": proposal.kind,
        "system": proposal.system,
        "url": url,
        "releases": [
            {"version": r.version, "url": r.url, "published": r.published or None}
            for r in proposal.releases
        ],
        "undecided": list(proposal.undecided),
        "toml": proposal.toml,
        "folder": str(folder) if folder else None,
        "built": [file.name for file in built.files] if built else None,
    }
