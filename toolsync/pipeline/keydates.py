"""Report ahead of time that a pinned key is about to end, and that its owner has re-dated it.

What the files in keys/ say is kept in the journal by their digest, so that gpg is asked once for
each change of them. Where the tool names upstream's own copy (``verify.keys_url``), that is looked
at when a key has less than two months left: most owners extend a key days before it ends.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

from toolsync.config.definition import Tool
from toolsync.journal.keydates import KeyDate
from toolsync.model.errors import ToolsyncError
from toolsync.pipeline.context import Context
from toolsync.system.clock import stamp
from toolsync.system.gpgkeys import KeyInfo, inspect_keys

SOON = timedelta(days=60)
_NEWS = timedelta(days=7)
"""How long it is told that a key was re-dated."""
_LIMIT = 1024 * 1024
"""Bytes of upstream's own copy of its keys."""


def key_warnings(context: Context, tool: Tool) -> tuple[str, ...]:
    """Return a sentence for each pinned key that ends soon, has ended, or was re-dated."""
    return tuple(_local(context, tool, key_dates(context, tool)))


def upstream_warnings(context: Context, tool: Tool) -> tuple[str, ...]:
    """Return what upstream's own copy of its keys says of those that are about to end.

    Asks upstream, but only where the tool names that copy and a key ends soon.
    """
    if not tool.verify.keys_url:
        return ()
    now = context.clock.now()
    soon = [key for key in key_dates(context, tool) if key.ends and _parsed(key.ends) < now + SOON]
    if not soon:
        return ()
    try:
        page = context.http.page(
            tool.verify.keys_url, limit=_LIMIT, seconds=context.config.limits.page_seconds
        )
        there = {date.fingerprint: date.ends for date in _dates(_keys_in(page.body or b""))}
    except ToolsyncError as error:
        return (f"upstream's keys at {tool.verify.keys_url} could not be compared: {error}",)
    return tuple(
        f"upstream has re-dated the key {key.fingerprint}: it ends"
        f" {there[key.fingerprint][:10] or 'never'}, ours {key.ends[:10]}: refresh it in"
        f" {tool.folder / 'keys'} from {tool.verify.keys_url}"
        for key in soon
        if key.fingerprint in there
        and (not there[key.fingerprint] or there[key.fingerprint] > key.ends)
    )


def key_dates(context: Context, tool: Tool) -> tuple[KeyDate, ...]:
    """Return when each pinned key of a tool ends; gpg is asked only where its files changed."""
    if not tool.verify.keys or not tool.keyring:
        return ()
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in tool.keyring)).hexdigest()
    known = context.journal.keydates.of(tool.name)
    if not known or any(date.digest != digest for date in known):
        try:
            found = tuple(_dates(inspect_keys(tool.keyring), digest))
        except ToolsyncError:
            return ()  # the stage that needs the keys says what is wrong with them
        context.journal.keydates.keep(tool.name, found)
        known = context.journal.keydates.of(tool.name)
    pinned = frozenset(tool.verify.keys)
    return tuple(date for date in known if date.fingerprint in pinned or date.primary in pinned)


def _local(context: Context, tool: Tool, dates: tuple[KeyDate, ...]) -> Iterator[str]:
    if not dates:
        return
    now, place = context.clock.now(), tool.folder / "keys"
    latest = max((date.ends or "9" for date in dates), default="")
    for date in dates:
        if date.before is not None and now < _parsed(date.changed) + _NEWS:
            was, ends = date.before[:10] or "never", date.ends[:10] or "never"
            yield f"the key {date.fingerprint} was re-dated: it ends {ends}, and before {was}"
        if not date.ends:
            continue
        end = _parsed(date.ends)
        # A pinned key that has ended is no news while another goes on: that is how keys rotate.
        if end <= now and date.ends == latest:
            yield f"the key {date.fingerprint} ended on {end:%Y-%m-%d}: refresh it in {place}"
        elif now < end < now + SOON:
            days = (end - now).days
            yield (
                f"the key {date.fingerprint} ends on {end:%Y-%m-%d}, in {days} days: refresh it in"
                f" {place}"
            )


def _dates(keys: tuple[KeyInfo, ...], digest: str = "") -> Iterator[KeyDate]:
    """Give primary keys, and the subkeys that end before them."""
    for key in keys:
        names = [key.fingerprint, *(sub.fingerprint for sub in key.subkeys if not sub.revoked)]
        for name in names:
            end = key.end_of(name)
            if name == key.fingerprint or end != key.expires:
                yield KeyDate(
                    fingerprint=name,
                    primary=key.fingerprint,
                    ends=stamp(end) if end else "",
                    digest=digest,
                )


def _keys_in(content: bytes) -> tuple[KeyInfo, ...]:
    with tempfile.TemporaryDirectory(prefix="toolsync-keys-") as folder:
        path = Path(folder) / "upstream.asc"
        path.write_bytes(content)
        return inspect_keys((path,))


def _parsed(text: str) -> datetime:
    return datetime.fromisoformat(text)
