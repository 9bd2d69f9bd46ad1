"""``toolsync audit``."""

from __future__ import annotations

import base64
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from toolsync.cli import render
from toolsync.cli.session import RegularFile, Settings, opened
from toolsync.model.errors import FINE, HELD, SetupError, Unverified

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from toolsync.attest.check import Check
    from toolsync.attest.logaudit import LogAudit
    from toolsync.attest.note import Checkpoint
    from toolsync.attest.tiles import Get
    from toolsync.pipeline.context import Context

_FILE = RegularFile()


@click.command("audit")
@click.argument("old", type=_FILE, required=False, metavar="[OLD-CHECKPOINT]")
@click.option("--url", metavar="ARCHIVE", help="The archive's address or folder; else your own.")
@click.option("--key", "keys", type=_FILE, multiple=True, help="Whose archive it is: public keys.")
@click.option("--json", "as_json", is_flag=True, help="Print an object.")
@click.pass_obj
def command(
    settings: Settings, old: Path | None, url: str | None, keys: tuple[Path, ...], as_json: bool
) -> int:
    r"""Audit an archive's log of publications: that nothing was changed, cut or kept out.

    \b
    The head's signature, the served hashes, every entry and all evidence are checked,
    and that the log has evidence of each package that is served. OLD-CHECKPOINT is a
    head that you kept: a file log/checkpoint, or a report that was mailed. The log
    must begin with its leaves; what came since is told.
    Nothing is needed but the archive's public key. Exit status 3 where it fails.

    \b
      toolsync audit                                    your own archive
      toolsync audit old --url https://… --key KEY.asc  another's, since a head you kept
    """
    from toolsync.attest.audit import archive_key
    from toolsync.attest.logaudit import audit_log

    with opened(settings) as context, context.workshop.folder("audit") as folder:
        own = None if keys else archive_key(context.config, folder)
        trusted = keys or tuple(filter(None, [own]))
        if not trusted:
            raise SetupError(
                "nothing says who may sign the log: this state has no key of its own",
                resolution="Name the archive's public key with --key FILE.",
            )
        base = url or str(context.config.archive)
        get = partial(_get, context, base)
        found = audit_log(
            lambda name, limit: get(f"log/{name}", limit),
            keys=trusted,
            folder=folder,
            old=(str(old), old.read_bytes()) if old else None,
            deep=True,
        )
        checks = [*found.checks, *_served(found, get, base, trusted, folder)]
    fine = all(check.verdict == "good" for check in checks)
    if as_json:
        _print_json(found, checks, base, fine)
    else:
        render.checks([(check.verdict, check.place, check.sentence) for check in checks])
    return FINE if fine else HELD


def _get(context: Context, base: str, name: str, limit: int) -> bytes:
    """Return a file of the archive at an address or in a folder; raises Unverified for none."""
    if base.startswith(("http://", "https://")):
        seconds = context.config.limits.page_seconds
        page = context.http.page(f"{base.rstrip('/')}/{name}", limit=limit, seconds=seconds)
        return page.body or b""
    path = Path(base.removeprefix("file://").removeprefix("file:")) / name
    try:
        with path.open("rb") as source:
            data = source.read(limit + 1)
    except OSError as error:
        raise Unverified(f"{path} cannot be read: {error.strerror}") from error
    if len(data) > limit:
        raise Unverified(f"{path} has more than {limit:,} bytes")
    return data


def _served(
    found: LogAudit, get: Get, base: str, keys: Sequence[Path], folder: Path
) -> Iterator[Check]:
    """Yield whether what is served is in the log, where the log itself could be read."""
    from toolsync.attest.logserved import check_served
    from toolsync.publish.keyring import NAME

    here = Path(base.removeprefix("file://").removeprefix("file:"), "dists").glob("*/InRelease")
    series = {*found.series, *(path.parent.name for path in here)}
    if found.entries:
        yield from check_served(
            get, series, subjects=found.subjects, own=NAME, keys=keys, folder=folder
        )


def _print_json(found: LogAudit, checks: Sequence[Check], base: str, fine: bool) -> None:
    from toolsync.model.values import dump

    def head(one: Checkpoint | None) -> dict[str, object] | None:
        root = base64.b64encode(one.root).decode() if one else ""
        return {"origin": one.origin, "size": one.size, "root": root} if one else None

    before = found.before.size if found.before else len(found.entries)
    render.as_json(
        {
            "version": 1,
            "archive": base,
            "passes": fine,
            "head": head(found.head),
            "old": head(found.before),
            "consistency": [base64.b64encode(item).decode() for item in found.proof],
            "added": [dump(entry) for entry in found.entries[before:]],
            "checks": [dump(check) for check in checks],
        }
    )
