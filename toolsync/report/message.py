"""Write the message to a channel: one digest of its news, the same words on every channel."""

from __future__ import annotations

import hashlib
import json
import os
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from toolsync.report.news import Item, News
from toolsync.system.headers import plain

HEADINGS: Mapping[str, str] = {
    "alarm": "Alarms",
    "held": "Waiting for you",
    "trouble": "Trouble that lasts",
    "key": "Warnings",
    "recovered": "Well again",
    "published": "Published",
}
"""What stands above the items of each kind, in the order of `news.KINDS`."""

_WORDS: Mapping[str, tuple[str, str]] = {
    "alarm": ("alarm", "alarms"),
    "held": ("held", "held"),
    "trouble": ("in trouble", "in trouble"),
    "key": ("warning", "warnings"),
    "recovered": ("well again", "well again"),
    "published": ("published", "published"),
}
_MAX_TEXT = 2000
"""Characters of one item; more is in ``toolsync why``."""
_MAX_ITEMS = 200


def message(
    found: News, *, now: str, channel: str, checkpoint: str = ""
) -> tuple[str, dict[str, object]]:
    """Return the id and the content of a message; ``checkpoint`` is the log's head.

    The id is the same for the same news at one time (``now``), so that a message that is sent
    again is recognized.
    """
    items = [{**asdict(item), "text": plain(item.text, _MAX_TEXT)} for item in found.items]
    data: dict[str, object] = {
        "subject": _subject(found.items),
        "host": os.uname().nodename,
        "items": items[:_MAX_ITEMS],
        "more": max(0, len(items) - _MAX_ITEMS),
    }
    if checkpoint:
        data["checkpoint"] = checkpoint
    named = json.dumps([channel, now, data], sort_keys=True)
    return hashlib.sha256(named.encode()).hexdigest()[:32], data


def _subject(items: Sequence[Item]) -> str:
    """Return ``toolsync: 2 held, 1 published: awscli, euca2ools``."""
    counts = {kind: sum(item.kind == kind for item in items) for kind in HEADINGS}
    told = ", ".join(f"{n} {_WORDS[kind][n > 1]}" for kind, n in counts.items() if n)
    tools = list(dict.fromkeys(item.tool for item in items if item.tool))
    named = ", ".join(tools[:3]) + (f" and {len(tools) - 3} more" if len(tools) > 3 else "")
    return plain(f"toolsync: {told}: {named}" if named else f"toolsync: {told}", 300)


def sections(data: Mapping[str, Any]) -> list[tuple[str, list[str]]]:
    """Return the headings that have something below them, each with its texts."""
    kinds = {kind: [i["text"] for i in data["items"] if i["kind"] == kind] for kind in HEADINGS}
    found = [(HEADINGS[kind], texts) for kind, texts in kinds.items() if texts]
    more = data.get("more", 0)
    return [*found, ("And more", [f"{more} more: toolsync status"])] if more else found


def as_text(data: Mapping[str, Any], made: str) -> str:
    """Return a message as plain text for a person."""
    lines = []
    for heading, texts in sections(data):
        lines += [f"{heading}:", ""]
        for text in texts:
            lines += textwrap.wrap(
                text,
                width=76,
                initial_indent="  * ",
                subsequent_indent="    ",
                break_long_words=False,
                break_on_hyphens=False,
            )
        lines.append("")
    if head := data.get("checkpoint"):
        lines += ["Head of the log of publications (keep it: toolsync audit compares):", "", head]
    lines += [
        "-- ",
        f"toolsync on {data['host']}, {made}",
        "More: toolsync status, toolsync why TOOL",
    ]
    return "\n".join(lines) + "\n"
