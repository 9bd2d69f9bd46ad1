"""``toolsync repack``."""

from __future__ import annotations

import tempfile
from pathlib import Path

import click

from toolsync.cli import render
from toolsync.cli.session import RegularFile, Settings, long_steps_shown, say
from toolsync.model.errors import FINE


@click.command("repack")
@click.argument("file", type=RegularFile())
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path(),
    help="The folder for the tarball.",
)
@click.option("--package", "source", required=True, help="The source package's name.")
@click.option("--version", required=True, help="The upstream version.")
@click.option(
    "--copyright",
    "copyright_file",
    type=RegularFile(),
    help="A debian/copyright whose Files-Excluded are left out.",
)
@click.option(
    "--compression",
    type=click.Choice(["xz", "gz", "bz2"]),
    help="How to write the tarball; xz, and upstream's own file as it is, if not given.",
)
@click.option("--json", "as_json", is_flag=True, help="Print an object.")
@click.pass_obj
def command(
    settings: Settings,
    file: Path,
    output: Path,
    source: str,
    version: str,
    copyright_file: Path | None,
    compression: str | None,
    as_json: bool,
) -> int:
    """Make the orig tarball of FILE: harmless, and the same bytes on every machine."""
    from toolsync.system.store import sync_file
    from toolsync.unpack.exclusions import Exclusions
    from toolsync.unpack.orig import make_orig

    config = settings.load()
    output.mkdir(parents=True, exist_ok=True)
    exclusions = Exclusions.read(copyright_file) if copyright_file else Exclusions()
    with tempfile.TemporaryDirectory(dir=output, prefix=".repack-") as folder:
        with long_steps_shown(f"repacking {file.name}"):
            made = make_orig(
                file,
                source=source,
                version=version,
                exclusions=exclusions,
                limits=config.limits,
                folder=Path(folder),
                compression=compression or "xz",
                force=compression is not None,
            )
        made.path.chmod(0o644)
        sync_file(made.path)
        made.path.replace(output / made.name)
    if as_json:
        render.as_json(
            {
                "orig": made.name,
                "untouched": made.untouched,
                "members": made.members,
                "excluded": list(made.excluded),
            }
        )
    else:
        how = "upstream's own file" if made.untouched else f"repacked, {made.members} members"
        say(f"{output / made.name} ({how})")
    return FINE
