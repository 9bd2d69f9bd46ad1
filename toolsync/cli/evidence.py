"""``toolsync evidence``."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from toolsync.cli import render
from toolsync.cli.session import RegularFile, Settings, chosen_tool, opened, say, tool_names
from toolsync.model.errors import FINE, HELD, SetupError, UsageError

if TYPE_CHECKING:
    from toolsync.pipeline.context import Context

_FILE = RegularFile()
_FOLDER = click.Path(path_type=Path, file_okay=False)


@click.command("evidence")
@click.argument("tool", shell_complete=tool_names, required=False)
@click.argument("version", required=False)
@click.option("--verify", "file", type=_FILE, help="Check this signed evidence, asking nobody.")
@click.option("--key", "keys", type=_FILE, multiple=True, help="Who may have signed it.")
@click.option("--files", type=_FOLDER, help="Where the files are, instead of the store.")
@click.option("--output", "-o", type=_FOLDER, help="Put evidence, key and files there.")
@click.option("--sbom", is_flag=True, help="Print the bill of materials (CycloneDX).")
@click.option("--json", "as_json", is_flag=True, help="Print the statement, or the checks.")
@click.pass_obj
def command(
    settings: Settings,
    tool: str | None,
    version: str | None,
    file: Path | None,
    keys: tuple[Path, ...],
    files: Path | None,
    output: Path | None,
    sbom: bool,
    as_json: bool,
) -> int:
    """Show the proof of a release: page, digests, signatures, gates, build, apt's confirmation.

    With --output an auditor gets all of it, signed; with --verify it is checked: signature,
    its place in the log of publications, every file's bytes, and what can be done again
    (upstream's proof, orig tarball, terms). --sbom tells what is in a release, of the newest
    that was published where no VERSION is named.
    """
    with opened(settings) as context:
        if sbom and tool is not None and file is None and output is None:
            return _bill(context, tool, version or "")
        if file is not None:
            if tool is not None or output is not None:
                raise UsageError("--verify goes with neither TOOL nor --output")
            return _verify(context, file, keys, files, as_json)
        if tool is None or version is None:
            raise UsageError(
                "evidence is of one release, or of one file",
                resolution="Name TOOL and VERSION, or a file with --verify FILE.",
            )
        return _tell(context, tool, version, output, as_json)


def _tell(context: Context, name: str, version: str, output: Path | None, as_json: bool) -> int:
    """Print a record, or write the signed evidence where ``output`` names a folder."""
    from toolsync.attest.keep import gather
    from toolsync.attest.record import lines
    from toolsync.attest.statement import statement

    tool = chosen_tool(context.config, name)
    record = gather(context.journal, tool, version)
    if output is not None:
        return _take_away(context, tool.name, version, output)
    if as_json:
        render.as_json(statement(record))
        return FINE
    say("\n".join(lines(record)))
    signed = context.journal.evidence.newest(tool.name, version)
    if signed is None:
        say("signed: not yet; that is done when it is published")
    else:
        say(f"signed: {signed.at}, in {context.store.where(signed.envelope)}")
    return FINE


def _bill(context: Context, name: str, version: str) -> int:
    from toolsync.attest.keep import newest_bill

    tool = chosen_tool(context.config, name)
    click.echo(newest_bill(context.journal, tool, version, context.store), nl=False)
    return FINE


def _take_away(context: Context, tool: str, version: str, folder: Path) -> int:
    """Fill a folder with what an auditor needs, taken from what was signed last."""
    import json

    from toolsync.attest.audit import KEY, archive_key, take_away
    from toolsync.attest.envelope import read_envelope
    from toolsync.attest.inclusion import SUFFIX
    from toolsync.attest.note import written
    from toolsync.pipeline.transparency import proof_of
    from toolsync.system.store import replace_file

    signed = context.journal.evidence.newest(tool, version)
    if signed is None or not context.store.has(signed.envelope):
        raise UsageError(
            f"{tool} {version} has no signed evidence: it was not published from here",
            resolution="Publish it first, or see the record with --json.",
        )
    data = context.store.path(signed.envelope).read_bytes()
    record = json.loads(read_envelope(data).payload)["predicate"]
    for name in take_away(record, context.store, folder):
        say(str(folder / name))
    context.store.deliver(signed.envelope, folder, signed.envelope.name)
    if proof := proof_of(context, signed.envelope.sha256):
        name = signed.envelope.name + SUFFIX
        replace_file(folder / name, written(proof))
        say(str(folder / name))
    archive_key(context.config, folder)
    say(f"{folder / KEY}\n{folder / signed.envelope.name}")
    return FINE


def _verify(
    context: Context, file: Path, keys: tuple[Path, ...], files: Path | None, as_json: bool
) -> int:
    """Print each check of a file of evidence; return 0 if all pass, else 3."""
    from toolsync.attest.audit import archive_key, audit, in_folder, in_store, passes
    from toolsync.attest.inclusion import proof_beside
    from toolsync.model.values import dump
    from toolsync.pipeline.transparency import proof_of

    find = in_folder(files) if files is not None else in_store(context.store)
    with context.workshop.folder("key") as folder:
        own = None if keys else archive_key(context.config, folder)
        if not keys and own is None:
            raise SetupError(
                "nothing says who may sign evidence: this state has no key of its own",
                resolution="Name the archive's public key with --key FILE.",
            )
        trusted = keys or tuple(filter(None, [own]))
        checks, _ = audit(
            file,
            keys=trusted,
            find=find,
            prove=proof_beside(file, partial(proof_of, context)),
            config=context.config,
            workshop=context.workshop,
        )
    if as_json:
        render.as_json({"passes": passes(checks), "checks": [dump(check) for check in checks]})
    else:
        render.checks([(check.verdict, check.place, check.sentence) for check in checks])
    return FINE if passes(checks) else HELD
