"""``toolsync gc``."""

from __future__ import annotations

import re

import click

from toolsync.cli import render
from toolsync.cli.session import Settings, opened, say
from toolsync.model.errors import FINE
from toolsync.model.values import dump
from toolsync.system.underway import step

_UNITS = {"": 1, "K": 10**3, "M": 10**6, "G": 10**9, "T": 10**12}


class _Size(click.ParamType):  # type: ignore[type-arg, unused-ignore]
    """A number of bytes, such as ``20G``."""

    name = "SIZE"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> int:
        """Return the bytes that ``20G`` and the like mean (powers of 1024)."""
        if isinstance(value, int):
            return value
        match = re.fullmatch(r"(\d{1,15})\s*([KMGT]?)B?", str(value).strip().upper())
        if match is None:
            self.fail(f"{value!r} is no size; wanted a number of bytes, such as 20G", param, ctx)
        return int(match[1]) * _UNITS[match[2]]


@click.command("gc")
@click.option("--limit", type=_Size(), help="Bytes for store and archive, such as 20G.")
@click.option("--dry-run", is_flag=True, help="Say what would go, and remove nothing.")
@click.option("--json", "as_json", is_flag=True, help="Print an object.")
@click.pass_obj
def command(settings: Settings, limit: int | None, dry_run: bool, as_json: bool) -> int:
    """Remove what no release in use needs, until store and archive are within a size.

    Without --limit the size is [store] limit of toolsync.toml; where there is none either, only
    files go that nothing names. The bytes of superseded releases go, oldest first; what was seen,
    judged, decided and signed is never removed.
    """
    from toolsync.maintain.gc import clean_up

    with opened(settings, lock="gc") as context:
        allowed = context.config.store_limit if limit is None else limit
        with step("clearing up"):
            done = clean_up(context, limit=allowed, dry_run=dry_run)
    if as_json:
        render.as_json(dump(done))
        return FINE
    for item in done.dropped:
        say(f"{'would remove' if dry_run else 'removed'} {item.what}: {item.why}, {item.size:,} B")
    say(f"{done.before:,} bytes before, {done.after:,} {'then' if dry_run else 'now'}")
    if allowed and done.after > allowed:
        say(f"more than the {allowed:,} allowed: the rest is in use, or is evidence")
    return FINE
