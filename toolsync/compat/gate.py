"""The compatibility gate: a release goes on only if what it breaks is allowed to break."""

from __future__ import annotations

from toolsync.config import Config
from toolsync.definition import Tool
from toolsync.judgment import Judgment
from toolsync.model import Blob, Licensed
from toolsync.policy import judge_unexamined
from toolsync.system.store import Store
from toolsync.system.work import Workshop


def judge(
    item: Licensed,
    *,
    tool: Tool,
    config: Config,
    store: Store,
    workshop: Workshop,
    before: Blob | None,
    before_version: str,
) -> Judgment:
    """Return what the tool's policy says of how ``item`` differs for its users.

    ``before`` is what was kept of the last accepted release, None for the first.
    """
    del config, store, workshop, before, before_version  # until anything is examined
    return judge_unexamined("compat", "commands and interfaces", tool.compat, item.unpacked)
