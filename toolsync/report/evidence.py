"""Tie the bytes on the release page to what apt serves: one record per release."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from toolsync.journal import Result, Upload


def evidence(
    tool: str,
    version: str,
    release: Mapping[str, Any],
    results: Sequence[Result],
    uploads: Sequence[Upload],
) -> dict[str, Any]:
    """Return what is known of a release, from its page to apt's confirmation, with times.

    ``release`` is the journal's row, ``results`` all its stages in their order.
    """
    seen = release["data"]
    return {
        "tool": tool,
        "version": version,
        "page": {"url": seen["page"], "named": seen["raw_version"], "seen": release["seen"]},
        "release": {k: seen[k] for k in ("url", "filename", "published", "sha256", "size", "tag")},
        "accepted": {"sha256": release["sha256"], "at": release["accepted"]},
        **{result.key.stage: _stage(result) for result in results if not result.key.scope},
        "series": _by_series(results),
        "uploads": [_upload(upload) for upload in uploads if upload.upstream == version],
    }


def lines(record: Mapping[str, Any], indent: str = "") -> list[str]:
    """Return a record as indented text for a person."""
    found = []
    for name, value in record.items():
        if isinstance(value, Mapping):
            found += [f"{indent}{name}:", *lines(value, indent + "  ")]
        elif isinstance(value, list) and any(isinstance(item, Mapping) for item in value):
            found.append(f"{indent}{name}:")
            for item in value:
                found += [f"{indent}  -", *lines(item, indent + "    ")]
        elif value not in ("", None, [], 0):
            text = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
            found.append(f"{indent}{name}: {text.replace(chr(10), ' ')}")
    return found


def _stage(result: Result) -> dict[str, Any]:
    told = {"outcome": result.outcome, "started": result.started, "finished": result.finished}
    if result.outcome == "held":
        return {**told, "message": result.message, "resolution": result.resolution}
    return {**told, **result.data}


def _by_series(results: Sequence[Result]) -> dict[str, Any]:
    """Group by series: ``{series: {package, build, TARGET: {publish, confirm}}}``."""
    places: dict[str, Any] = {}
    for result in results:
        series, _, target = result.key.scope.partition("@")
        if not series:
            continue
        place = places.setdefault(series, {})
        if target:
            place = place.setdefault(target, {})
        place[result.key.stage] = _stage(result)
    return places


def _upload(upload: Upload) -> dict[str, Any]:
    names = ("target", "source", "version", "series", "state", "claimed", "changed", "dsc")
    return {name: getattr(upload, name) for name in names}
