"""The license gate: a release goes on only if its terms are allowed to pass."""

from __future__ import annotations

from toolsync.definition import Tool
from toolsync.model import Licensed, Unpacked
from toolsync.policy import pass_unexamined


def examine(item: Unpacked, *, tool: Tool) -> Licensed:
    """Return ``item`` as allowed by the tool's license policy, or raise GateClosed."""
    release = f"{tool.name} {item.verified.fetched.release.version}"
    findings = pass_unexamined("license", "license terms", tool.license, release)
    return Licensed(unpacked=item, findings=findings)
