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
            series, revision, architecture, _ = result.key.place
            where = f"{series} on {architecture}" if architecture else series
            said = f"{version} for {where} was built twice, {rebuilt['statement']}."
            found[where] = max(found.get(where, (0, "")), (revision, said))
    return tuple(said for _, said in found.values())
