"""What a gate may do with a release that nothing has examined."""

from __future__ import annotations

import hashlib

from toolsync.judgment import Judgment
from toolsync.licensing import LicensePolicy
from toolsync.model import Finding, Unpacked


def judge_unexamined(stage: str, subject: str, gate: LicensePolicy, item: Unpacked) -> Judgment:
    """Return the judgment that says nothing was examined.

    ``stage`` is the gate's name and its table in tool.toml, ``subject`` what it would examine.
    Only an explicit ``unexamined = "allow"`` passes.
    """
    reason = f": {gate.reason}" if gate.reason else ""
    declared = f" (declared: {gate.expression})" if gate.expression else ""
    passing, closed = "silent", "review"
    if gate.unexamined == "allow":
        verdict = passing
        summary = f"{subject} were not examined{declared}; tool.toml allows that{reason}"
    else:
        verdict = closed
        summary = f"{subject} have not been examined, and tool.toml does not allow that"
    finding = Finding(stage=stage, code="not-examined", severity="unknown", message=summary)
    parts = (stage, item.orig.sha256, gate.unexamined, gate.reason, gate.expression)
    return Judgment(
        stage=stage,
        verdict=verdict,
        summary=summary,
        findings=(finding,),
        subject=hashlib.sha256("\0".join(parts).encode()).hexdigest(),
    )
