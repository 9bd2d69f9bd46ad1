"""The compatibility gate: a release goes on only if what it breaks is allowed to break."""

from __future__ import annotations

from toolsync.definition import Tool
from toolsync.model import Compatible, Licensed
from toolsync.policy import pass_unexamined


def examine(item: Licensed, *, tool: Tool) -> Compatible:
    """Return ``item`` as allowed by the tool's compatibility policy, or raise GateClosed."""
    release = f"{tool.name} {item.unpacked.verified.fetched.release.version}"
    findings = pass_unexamined("compat", "commands and interfaces", tool.compat, release)
    return Compatible(licensed=item, findings=findings)
