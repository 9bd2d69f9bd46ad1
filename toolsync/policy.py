"""What a gate may do with a release that nothing has examined."""

from __future__ import annotations

from toolsync.definition import Gate
from toolsync.errors import GateClosed
from toolsync.model import Finding


def pass_unexamined(stage: str, subject: str, gate: Gate, release: str) -> tuple[Finding, ...]:
    """Return the finding that says nothing was examined, or raise GateClosed.

    ``stage`` is the gate's name and its table in tool.toml, ``subject`` what it would examine,
    ``release`` names tool and version. Only an explicit ``unexamined = "allow"`` passes.
    """
    if gate.unexamined != "allow":
        raise GateClosed(
            f"{release}: its {subject} have not been examined, and tool.toml does not allow that",
            resolution=f'Look at them; then set [{stage}] unexamined = "allow" with a reason.',
        )
    reason = f": {gate.reason}" if gate.reason else ""
    declared = f" (declared: {gate.expression})" if gate.expression else ""
    message = f"{subject} were not examined{declared}; tool.toml allows that{reason}"
    return (Finding(stage=stage, code="not-examined", severity="unknown", message=message),)
