"""What a gate says of a release, in one form for all gates, for reviews and for evidence.

A gate judges one release against the last one that was accepted. It never decides alone what
happens to a release that it would hold: that is a person's part, and a person's decision holds
for exactly the ``subject`` that was judged.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from toolsync.model.values import Blob, Finding

LICENSE_VERDICTS = ("silent", "review", "block")
"""Of the license gate, mildest first; only ``silent`` goes on without a person."""

COMPAT_VERDICTS = ("same", "additive", "unknown", "risky", "breaking")
"""Of the compatibility gate, mildest first; ``same`` and ``additive`` go on without a person."""

PASS, HOLD = "pass", "hold"
"""Of a gate that needs no words of its own."""

BINDING_VERDICTS = ("bound", "unbound", "contradicted")
"""Of the gate over the version, mildest first; only ``contradicted`` waits for a person."""

PASSING = frozenset({"bound", "unbound", "silent", "same", "additive", PASS})
"""The verdicts with which a release goes on without a person; it is held by any other."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgment:
    """What a gate found in a release."""

    stage: str
    """The gate's name."""
    verdict: str
    """One of the gate's."""
    summary: str
    """One sentence: what was found, and against which release."""
    findings: tuple[Finding, ...]
    subject: str
    """SHA-256 over everything judged (contents, terms or surface, the policy in force and the
    release compared with), in hex: a decision holds for this and nothing else."""
    carries: tuple[str, ...] = ()
    """Digests whose approval reaches later releases, such as fingerprints of license texts."""
    kept: Blob | None = None
    """What the next release is compared with, as JSON in the store: terms or surface."""
    report: Blob | None = None
    """What a person needs to decide, as text in the store: word diffs, new files, tables."""
    notice: Blob | None = None
    """debian/copyright completed by what was found, as text in the store; None where the
    packaging's own lacks nothing."""
    before: str = ""
    """The version compared with, empty for a tool's first release."""

    @property
    def passes(self) -> bool:
        """Whether it goes on without a person."""
        return self.verdict in PASSING


def gravest_verdict(verdicts: Iterable[str], order: tuple[str, ...]) -> str:
    """Return the gravest of ``verdicts`` in ``order`` (mildest first), or the mildest of all."""
    return max(verdicts, key=order.index, default=order[0])
