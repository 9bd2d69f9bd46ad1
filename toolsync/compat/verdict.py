"""Turn changes into one word, one sentence and one page for a reviewer."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from toolsync.compat.change import SEVERITIES, Change
from toolsync.model.judgment import COMPAT_VERDICTS, gravest_verdict

_HOLDING = ("breaking", "risky", "unknown")
_NAMED, _LONG = 3, 60
"""How many names a phrase has, and how many characters of each."""
_SHOWN = 400
"""Lines of one severity in a report; a cloud retires services by the hundred."""


def verdict_of(changes: Sequence[Change]) -> str:
    """Return the gravest severity among changes as a verdict, ``same`` where none counts."""
    counting = (change.severity for change in changes if change.severity != "info")
    return gravest_verdict(counting, COMPAT_VERDICTS)


def summary_of(changes: Sequence[Change]) -> str:
    """Return what changed in one phrase: "breaking: 2 option (t -a, t -b); additive: 1 command".

    Of the severities that hold a release the first names are told.
    """
    parts = []
    for severity in reversed(SEVERITIES):
        kinds = Counter(change.kind for change in changes if change.severity == severity)
        if kinds:
            named = ", ".join(f"{count} {kind}" for kind, count in kinds.most_common(4))
            more = f", {len(kinds) - 4} more kinds" if len(kinds) > 4 else ""
            told = _first_names(changes, severity) if severity in _HOLDING else ""
            parts.append(f"{'waived' if severity == 'info' else severity}: {named}{more}{told}")
    return "; ".join(parts) or "nothing that users would notice"


def _first_names(changes: Sequence[Change], severity: str) -> str:
    chosen = [change for change in changes if change.severity == severity]
    names = [replace(change, name=change.name[:_LONG]).full_name for change in chosen]
    return f" ({', '.join([*names[:_NAMED], *(['…'] if len(names) > _NAMED else [])])})"


def report_of(changes: Sequence[Change]) -> str:
    """Return a table of changes as text, gravest first."""
    lines: list[str] = []
    for severity in reversed(SEVERITIES):
        rows = [change for change in changes if change.severity == severity]
        if not rows:
            continue
        lines += ["", f"{'waived by policy' if severity == 'info' else severity} ({len(rows)})"]
        names = [f"{row.kind} {row.full_name}" for row in rows[:_SHOWN]]
        width = min(max(map(len, names)), 60)
        lines += [f"  {name:<{width}}  {row.proof}" for name, row in zip(names, rows, strict=False)]
        if len(rows) > _SHOWN:
            lines.append(f"  … and {len(rows) - _SHOWN} more")
    return "\n".join(lines[1:]) + "\n" if lines else "nothing that users would notice\n"
