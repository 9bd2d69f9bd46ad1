"""``toolsync verify``."""

from __future__ import annotations

from pathlib import Path

import click

from toolsync.cli import render
from toolsync.cli.session import RegularFile, Settings, chosen_tool, say
from toolsync.model.errors import FINE, HELD

_FILE = RegularFile()


@click.command("verify")
@click.argument("file", type=_FILE)
@click.option("--tool", help="Whose pinned keys or digests count.")
@click.option("--keyring", type=_FILE, multiple=True, help="An armored key; every one counts.")
@click.option("--signature", type=_FILE, help="The signature; looked for beside FILE if not given.")
@click.option("--checksums", type=_FILE, help="A checksum file that names FILE.")
@click.option("--checksums-signature", type=_FILE, help="The checksum file's signature.")
@click.option("--json", "as_json", is_flag=True, help="Print an object.")
@click.pass_obj
def command(
    settings: Settings,
    file: Path,
    tool: str | None,
    keyring: tuple[Path, ...],
    signature: Path | None,
    checksums: Path | None,
    checksums_signature: Path | None,
    as_json: bool,
) -> int:
    """Verify FILE against a tool's pinned keys or digests, or against a keyring."""
    from toolsync.model.release import dump
    from toolsync.system.clock import SystemClock
    from toolsync.verify.file import verify_file
    from toolsync.verify.methods import method_of

    chosen = chosen_tool(settings.load(), tool) if tool else None
    found = verify_file(
        file,
        now=SystemClock().now(),
        keyring=keyring,
        tool=chosen,
        method=method_of(chosen.verify) if chosen else None,
        signature=signature,
        checksums=checksums,
        checksums_signature=checksums_signature,
    )
    if as_json:
        render.as_json({"file": file.name, **dump(found)})
    else:
        say(f"{found.verdict}: {found.sentence}")
        if found.resolution:
            say(f"  → {found.resolution}")
    return FINE if found.verdict == "good" else HELD
