"""Make the record of a release: everything from its release page to what apt serves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from toolsync.attest.statement import ARCHITECTURES
from toolsync.journal.releases import SeenRelease
from toolsync.journal.results import Result
from toolsync.journal.uploads import Upload

_NEWLINE = "\n"


def evidence(
    tool: str,
    version: str,
    release: SeenRelease,
    results: Sequence[Result],
    uploads: Sequence[Upload],
) -> dict[str, Any]:
    """Return what is known of a release, from its page to apt's confirmation, with times.

    ``release`` is the journal's row, ``results`` all its stages in their order.
    """
    seen = release.data
    whole = {result.key.stage: result for result in results if not result.key.scope}
    return {
        "tool": tool,
        "version": version,
        "page": {"url": seen["page"], "named": seen["raw_version"], "seen": release.seen},
        "release": {k: seen[k] for k in ("url", "filename", "published", "sha256", "size", "tag")}
        | ({"parts": seen["parts"]} if seen.get("parts") else {}),
        "accepted": {"sha256": release.sha256, "at": release.accepted},
        **{stage: _stage(result) for stage, result in whole.items()},
        "series": _by_series([r for r in results if not _is_repeated(r, whole)]),
        "uploads": [_upload(upload) for upload in uploads if upload.upstream == version],
    }


def lines(record: Mapping[str, object], indent: str = "") -> list[str]:
    """Return a record as indented text for a person."""
    found: list[str] = []
    _add_lines(found, record, indent)
    return found


def _add_lines(found: list[str], record: Mapping[str, object], indent: str) -> None:
    """Append a record to ``found``, a line for each value that is not empty."""
    for name, value in record.items():
        if isinstance(value, str):
            if value:
                found.append(f"{indent}{name}: {value.replace(_NEWLINE, ' ')}")
        elif isinstance(value, Mapping):
            found.append(f"{indent}{name}:")
            _add_lines(found, value, indent + "  ")
        elif isinstance(value, list) and any(isinstance(item, Mapping) for item in value):
            found.append(f"{indent}{name}:")
            for item in value:
                found.append(f"{indent}  -")
                _add_lines(found, item, indent + "    ")
        elif value not in (None, [], 0):
            text = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
            found.append(f"{indent}{name}: {text.replace(_NEWLINE, ' ')}")


def _stage(result: Result) -> dict[str, object]:
    told = {"outcome": result.outcome, "started": result.started, "finished": result.finished}
    if result.outcome == "held":
        return {**told, "message": result.message, "resolution": result.resolution, **result.data}
    if result.outcome == "skipped":
        return {**told, "message": result.message}
    return {**told, **result.data}


def _is_repeated(result: Result, whole: Mapping[str, Result]) -> bool:
    """Say whether a result for a series is that of the whole release, told there already."""
    same = whole.get(result.key.stage)
    return (
        same is not None
        and bool(result.key.scope)
        and (same.finished, same.data) == (result.finished, result.data)
    )


def _by_series(results: Sequence[Result]) -> dict[str, Any]:
    """Group by series: ``{series: {package, build, TARGET: {publish, confirm}}}``.

    Builds for further architectures stand under ``architectures``, each under its own.
    Under a series stands its newest packaging; older ones stand under ``SERIES/REVISION``.
    """
    scoped = [result for result in results if result.key.scope]
    newest: dict[str, int] = {}
    for result in scoped:
        series, revision, *_ = result.key.place
        newest[series] = max(newest.get(series, 0), revision)
    places: dict[str, Any] = {}
    for result in scoped:
        series, revision, architecture, target = result.key.place
        name = series if revision == newest[series] else f"{series}/{revision}"
        place = places.setdefault(name, {})
        if target:
            place = place.setdefault(target, {})
        if architecture:
            place = place.setdefault(ARCHITECTURES, {}).setdefault(architecture, {})
        place[result.key.stage] = _stage(result)
    return places


def _upload(upload: Upload) -> dict[str, Any]:
    names = (
        "target",
        "source",
        "version",
        "series",
        "state",
        "claimed",
        "changed",
        "dsc",
        "detail",
    )
    return {name: getattr(upload, name) for name in names}
