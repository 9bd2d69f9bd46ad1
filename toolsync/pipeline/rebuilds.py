"""Tell what second builds of a release came to, of what the journal has."""

from __future__ import annotations

from collections.abc import Sequence

from toolsync.journal.results import Result


def second_builds(results: Sequence[Result], version: str) -> tuple[str, ...]:
    """Return a sentence for each series that a release was built a second time for.

    ``results`` are a tool's, of any version; of a series the newest packaging counts.
    """
    found: dict[str, tuple[int, str]] = {}
    for result in results:
        rebuilt = result.data.get("rebuilt") if result.key.stage == "build" else None
        if rebuilt and result.key.version == version and result.outcome == "done":
            series, _, revision = result.key.scope.partition("/")
            said = f"{version} for {series} was built twice, {rebuilt['statement']}."
            found[series] = max(found.get(series, (0, "")), (int(revision or 0), said))
    return tuple(said for _, said in found.values())
