"""Tell instances what was recalled: served by us, and named no longer by the vendor's page.

Instances learn it from the archive's signed index, see `publish.target.Noticeboard`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from toolsync.config.definition import Tool
from toolsync.model.release import Outcome
from toolsync.model.versions import upstream_key
from toolsync.pipeline.context import Context
from toolsync.publish.target import Noticeboard


def announce_recalls(context: Context, tools: Sequence[Tool], outcomes: Sequence[Outcome]) -> None:
    """Have the target tell which of its versions are recalled, as these outcomes see it.

    What was told of a tool stays while its page cannot be read, and while that names nothing as
    new, also when a person has decided to go on without the release: instances still have it.
    Targets that can tell nothing of their own are left alone.
    """
    if not isinstance(context.target, Noticeboard):
        return
    told = set(context.target.recalls())
    for tool, outcome in zip(tools, outcomes, strict=True):
        if outcome.newest is None:
            continue
        before = {item for item in told if item.startswith(f"{tool.source}=")}
        gone = set(_withdrawn(context, tool, outcome.newest))
        told = told - before | (gone if outcome.status == "recalled" else gone & before)
    context.target.announce(tuple(sorted(told)))


def _withdrawn(context: Context, tool: Tool, newest: str) -> Iterator[str]:
    """Give ``SOURCE=VERSION`` of what the target serves and is newer than the page's newest."""
    for upload in context.journal.uploads.of(tool.name):
        here = upload.target == context.target.name and upload.state == "confirmed"
        if here and upstream_key(upload.upstream) > upstream_key(newest):
            yield f"{upload.source}={upload.version}"
