"""Apply a tool's policy to changes: what its users do not rely on is shown, and waived."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from fnmatch import fnmatchcase

from toolsync.compat.change import Change, ordered
from toolsync.config.definition import CompatPolicy

_OF_SERVICES = ("service", "operation", "member")
_OF_COMMANDS = ("command", "subcommand", "option", "exit-code", "version-output")


def weigh(changes: Iterable[Change], policy: CompatPolicy) -> tuple[Change, ...]:
    """Return the changes, those that policy lets pass as ``info`` with the reason in the proof."""
    return ordered(_weighed(change, policy) for change in changes)


def _weighed(change: Change, policy: CompatPolicy) -> Change:
    if change.severity in ("info", "additive"):
        return change
    reason = next(_waivers(change, policy), "")
    if not reason:
        return change
    return replace(
        change, severity="info", proof=f"{change.proof} ({change.severity}, but {reason})"
    )


def _waivers(change: Change, policy: CompatPolicy) -> Iterator[str]:
    """Yield the reasons for which a change does not count."""
    if change.kind in _OF_SERVICES and policy.services:
        service = change.name.partition(".")[0]
        if not _any(service, policy.services):
            yield f"the service {service} is not among those that matter here"
    if change.kind in _OF_COMMANDS and policy.commands:
        command = change.name.split()[0]
        if not _any(command, policy.commands) and " and " not in change.name:
            yield f"the command {command} is not among those that matter here"
    if change.severity == "risky" and (policy.risky == "pass" or change.kind in policy.waive):
        yield "this tool's policy lets it pass"
    if change.severity == "unknown" and policy.unknown == "pass":
        yield "this tool's policy lets pass what could not be examined"


def _any(name: str, patterns: Iterable[str]) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns)
