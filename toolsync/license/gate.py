"""The license gate: a release goes on only if its terms are allowed to pass."""

from __future__ import annotations

from toolsync.config import Config
from toolsync.definition import Tool
from toolsync.judgment import Judgment
from toolsync.model import Blob, Unpacked
from toolsync.policy import judge_unexamined
from toolsync.system.store import Store
from toolsync.system.work import Workshop


def judge(
    item: Unpacked,
    *,
    tool: Tool,
    config: Config,
    store: Store,
    workshop: Workshop,
    before: Blob | None,
    before_version: str,
    approved: frozenset[str],
) -> Judgment:
    """Return what the tool's policy says of the terms of ``item``.

    ``before`` is what was kept of the last accepted release, None for the first; ``approved``
    are digests that a person approved for this tool.
    """
    del config, store, workshop, before, before_version, approved  # until terms are examined
    return judge_unexamined("license", "license terms", tool.license, item)
