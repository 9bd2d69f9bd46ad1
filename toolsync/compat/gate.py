"""The compatibility gate: a release goes on only if its users miss nothing unasked."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass

from toolsync.archives.tree import open_tree
from toolsync.compat.change import Change
from toolsync.compat.compare import Prober as TriesOptions
from toolsync.compat.compare import compare
from toolsync.compat.policy import weigh
from toolsync.compat.probe import Prober
from toolsync.compat.reading import read_tree
from toolsync.compat.surface import Gap, Surface
from toolsync.compat.verdict import report_of, summary_of, verdict_of
from toolsync.config.definition import Tool
from toolsync.config.settings import Config
from toolsync.model.errors import TooMuch
from toolsync.model.judgment import Judgment
from toolsync.model.release import Blob, Finding, Licensed
from toolsync.system.confined import confined
from toolsync.system.sandbox import sandbox_for
from toolsync.system.store import Store
from toolsync.system.work import Workshop

_MOST_FINDINGS = 200
"""In the evidence; the report and what is kept hold more."""


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

    ``before`` is what was kept of the last accepted release, None for the first, which cannot
    take anything away and passes. What takes more than its limits is not known, and held.
    """
    series = tuple(s for s in config.series if not tool.series or s in tool.series)
    orig, limits = item.unpacked.orig, config.limits
    with open_tree(orig, store=store, workshop=workshop, limits=limits) as top:

        def examine() -> _Examined:
            release = read_tree(top)
            sandbox = sandbox_for(top, **asdict(config.compat))
            prober = Prober(release, sandbox, tool.compat.commands)
            if tool.compat.probe:
                prober.examine()
            surface = release.surface()
            vanished = prober.vanished if tool.compat.probe else None
            found = _found(surface, before, before_version, store, series or tool.series, vanished)
            return _Examined(found=found, kept=surface.to_json(), contents=_contents(surface))

        try:
            examined = confined(
                examine,
                what="reading and running its commands",
                seconds=limits.gate_seconds + config.compat.total_seconds,
                memory=limits.gate_memory,
            )
        except TooMuch as error:
            examined = _given_up(f"{error} ({orig.name}, SHA-256 {orig.sha256})")
    changes = weigh(examined.found, tool.compat)
    findings = _findings(changes)
    if before is None:
        passes = tool.compat.first == "pass" and not examined.given_up
        verdict = "additive" if passes else "unknown"
        summary = f"no earlier commands and interfaces to compare with: {examined.contents}"
        findings.insert(0, _first(verdict, summary))
    else:
        verdict = verdict_of(changes)
        summary = f"{verdict} since {before_version}: {summary_of(changes)}"
    kept = examined.kept
    return Judgment(
        stage="compat",
        verdict=verdict,
        summary=summary,
        findings=tuple(findings),
        subject=_subject(kept, before, before_version, tool, series),
        kept=store.add_bytes(kept, "surface.json"),
        report=store.add_bytes(report_of(changes).encode(), "compat.txt"),
        before=before_version if before else "",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Examined:
    """What a look at the release has shown."""

    found: tuple[Change, ...]
    kept: bytes
    contents: str
    given_up: bool = False


def _given_up(reason: str) -> _Examined:
    """Return what is known of a release that could not be looked at, and kept for the next."""
    surface = Surface(names={}, gaps=(Gap(kind="tree", name="release", reason=reason),))
    change = Change(kind="tree", name="release", severity="unknown", proof=reason)
    return _Examined(found=(change,), kept=surface.to_json(), contents=reason, given_up=True)


def _found(
    surface: Surface,
    before: Blob | None,
    version: str,
    store: Store,
    series: tuple[str, ...],
    vanished: TriesOptions | None,
) -> tuple[Change, ...]:
    """Return what changed; for a first release, what could not be examined in it."""
    if before is None:
        return tuple(
            Change(kind=gap.kind, name=gap.name, severity="info", proof=gap.reason)
            for gap in surface.gaps
        )
    try:
        old = Surface.from_json(store.path(before).read_bytes())
    except (OSError, ValueError) as error:
        proof = f"what was kept of {version} cannot be read: {error}"
        return (Change(kind="tree", name="surface", severity="unknown", proof=proof),)
    return compare(old, surface, series=series, prober=vanished)


def _findings(changes: tuple[Change, ...]) -> list[Finding]:
    found = [
        Finding(
            stage="compat",
            code=change.kind,
            severity=change.severity,
            message=f"{change.name}: {change.proof}",
        )
        for change in changes[:_MOST_FINDINGS]
    ]
    rest = len(changes) - len(found)
    if rest:
        message = f"and {rest} more changes, none graver; see the report"
        found.append(Finding(stage="compat", code="more", severity="info", message=message))
    return found


def _first(verdict: str, summary: str) -> Finding:
    severity = "info" if verdict == "additive" else "unknown"
    return Finding(stage="compat", code="first-release", severity=severity, message=summary)


def _contents(surface: Surface) -> str:
    """Return how much of each kind a release has."""
    counts = [f"{len(names)} {kind}" for kind, names in surface.names.items() if names]
    return ", ".join(counts) or "and nothing that could be read"


def _subject(
    kept: bytes, before: Blob | None, version: str, tool: Tool, series: tuple[str, ...]
) -> str:
    judged = {
        "surface": hashlib.sha256(kept).hexdigest(),
        "before": [version, before.sha256] if before else [],
        "policy": asdict(tool.compat),
        "series": series,
    }
    return hashlib.sha256(json.dumps(judged, sort_keys=True).encode()).hexdigest()
