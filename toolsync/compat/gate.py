"""The compatibility gate: hold a release that takes away what its users rely on."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import asdict, dataclass, replace
from functools import cache, partial
from pathlib import Path

from toolsync.archives.tree import open_release
from toolsync.compat.change import Change, ordered
from toolsync.compat.compare import OF_OLD, compare
from toolsync.compat.compare import Prober as TriesOptions
from toolsync.compat.deb import Packages, opened, read_packages
from toolsync.compat.examine import examine
from toolsync.compat.further import as_told, changes_of
from toolsync.compat.options import Option
from toolsync.compat.policy import weigh
from toolsync.compat.reading import Release, read_tree
from toolsync.compat.surface import Gap, Surface
from toolsync.compat.transition import as_the_distribution_has, side_by_side
from toolsync.compat.verdict import report_of, summary_of, verdict_of
from toolsync.config.definition import Tool
from toolsync.gate.record import Asked
from toolsync.model.errors import TooMuch
from toolsync.model.judgment import Judgment
from toolsync.model.release import Built, Finding, Package
from toolsync.system.confined import confined

_VERSION = re.compile(r"\d+(?:\.\d+)+")
_LEADS = {
    "same": "nothing changes for users of",
    "additive": "users get something new since",
    "unknown": "it is not known what changes for users since",
    "risky": "users may notice a change since",
    "breaking": "users would miss something since",
}
"""How a summary begins, by the verdict."""
_MOST_FINDINGS = 200
"""In the evidence; the report and what is kept hold more."""


def judge(asked: Asked[Package]) -> Judgment:
    """Return what the tool's policy says of how a release differs for its users.

    What its packages install is compared with what those of the last accepted release did, of each
    architecture (`further`); its tree is compared where nothing was built here, or where only a
    tree was kept of that one.
    The first release cannot take anything away and passes. What takes more than its limits is
    not known, and held.
    """
    tool, store, before = asked.tool, asked.store, asked.before
    old = _kept(asked)
    examined = _examined(asked, old)
    now = None if examined.given_up else Surface.from_json(examined.kept)
    told = tool if tool.in_main == asked.item.release.version else replace(tool, main_packages=())
    found = _as_before(examined.found, old, now, told) if asked.adopted else examined.found
    found = as_told(asked.item, found, changes_of(asked))
    changes = ordered(_accepted(c, asked) for c in weigh(found, tool.compat))
    findings = _findings(changes)
    if before is None:
        passes = tool.compat.first == "pass" and not examined.given_up
        verdict = "additive" if passes else "unknown"
        summary = f"no earlier commands and interfaces to compare with: {examined.contents}"
        findings.insert(0, _first(verdict, summary))
    else:
        verdict = verdict_of(changes)
        summary = f"{_LEADS[verdict]} {asked.before_version}: {summary_of(changes)}"
    return Judgment(
        stage="compat",
        verdict=verdict,
        summary=summary,
        findings=tuple(findings),
        subject=_subject(asked, examined, changes),
        carries=tuple(sorted({_gap_digest(change) for change in found if change.gap})),
        kept=store.add_bytes(examined.kept, "surface.json"),
        report=store.add_bytes(report_of(changes).encode(), "compat.txt"),
        before=asked.before_version if before else "",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Examined:
    """What a look at the release has shown."""

    found: tuple[Change, ...]
    kept: bytes
    """The surface that the next release is compared with."""
    contents: str
    series: tuple[str, ...] = ()
    tree: bytes = b""
    """The surface of the release's tree, where that was compared."""
    given_up: bool = False


def _examined(asked: Asked[Package], old: Surface | str | None) -> _Examined:
    """Look at the release in a process with limits; say what cannot be known within them."""
    built = isinstance(asked.item, Built)
    by_tree = not built or (isinstance(old, Surface) and not old.installed)
    limits, compat = asked.config.limits, asked.config.compat
    with ExitStack() as stack:
        tree = stack.enter_context(_tree(asked)) if by_tree else None
        packages = stack.enter_context(_packages(asked)) if built else None
        there = _by_workers(asked, by_tree=by_tree, built=built)
        try:
            return confined(
                lambda: _compared(asked, old, tree, packages, there),
                what="reading and running its commands",
                seconds=limits.gate_seconds + compat.total_seconds,
                memory=limits.gate_memory,
            )
        except TooMuch as error:
            orig = asked.item.source.licensed.unpacked.orig
            return _given_up(f"{error} ({orig.name}, SHA-256 {orig.sha256})", installed=built)


def _compared(
    asked: Asked[Package],
    old: Surface | str | None,
    tree: Path | None,
    debs: Packages | None,
    there: Mapping[bool, Surface],
) -> _Examined:
    """Compare a release's tree, else what its packages install, with what was kept."""
    series: tuple[str, ...] = (asked.item.source.series,)
    if tree is None:
        assert debs is not None
        surface, vanished = _of_packages(asked, debs, there)
        kept = surface
    else:
        wanted = asked.tool.series
        series = tuple(s for s in asked.config.series if not wanted or s in wanted) or wanted
        release = partial(read_tree, tree)
        surface, vanished = _surface(asked, tree, release, there.get(False), installed=False)
        kept = surface
        if debs is not None:  # the next release is compared with what this one installs
            kept, _ = _of_packages(asked, debs, there)
    return _Examined(
        found=_found(surface, old, series, vanished),
        kept=kept.to_json(),
        contents=_contents(surface),
        series=series,
        tree=b"" if tree is None else surface.to_json(),
    )


def _of_packages(
    asked: Asked[Package], debs: Packages, there: Mapping[bool, Surface]
) -> tuple[Surface, TriesOptions | None]:
    release = partial(read_packages, debs.files, debs.root)
    return _surface(asked, debs.root, release, there.get(True), installed=True)


def _surface(
    asked: Asked[Package],
    root: Path,
    read: Callable[[], Release],
    there: Surface | None,
    *,
    installed: bool,
) -> tuple[Surface, TriesOptions | None]:
    """Return what a release offers, and who tries options that it no longer names.

    What a worker read counts where it is of these very files; only who must try an option that
    is gone reads and runs here, too.
    """
    policy = asked.tool.compat

    @cache
    def here() -> tuple[Surface, TriesOptions | None]:
        settings = asked.config.compat
        return examine(read(), settings, policy.commands, probe=policy.probe, installed=installed)

    def tried(scope: str, option: str, was: Option) -> tuple[str, str] | None:
        prober = here()[1]
        return prober(scope, option, was) if prober is not None else None

    if there is None or there.digest != Release(root).tree.digest():
        return here()
    return there, tried if policy.probe else None


def _by_workers(asked: Asked[Package], *, by_tree: bool, built: bool) -> dict[bool, Surface]:
    """Return what workers read, by whether it is of the packages; nothing where none did."""
    found: dict[bool, Surface] = {}
    if asked.elsewhere is None:
        return found
    for installed, wanted in ((False, by_tree), (True, built)):
        told = asked.elsewhere.surface(asked.item, asked.tool, installed) if wanted else None
        if told is not None:
            found[installed] = Surface.from_json(told)
    return found


def _packages(asked: Asked[Package]) -> AbstractContextManager[Packages]:
    """Give the release's binary packages, unpacked, for the block."""
    assert isinstance(asked.item, Built)
    workshop, limits = asked.workshop, asked.config.limits
    return opened(asked.item.debs, store=asked.store, workshop=workshop, limits=limits)


@contextmanager
def _tree(asked: Asked[Package]) -> Iterator[Path]:
    """Give the release's tree for the block."""
    unpacked, limits = asked.item.source.licensed.unpacked, asked.config.limits
    opened = open_release(unpacked, store=asked.store, workshop=asked.workshop, limits=limits)
    with opened as top:
        yield top


def _given_up(reason: str, *, installed: bool) -> _Examined:
    """Return what is known of a release that could not be looked at, and kept for the next."""
    gap = Gap(kind="tree", name="release", reason=reason)
    surface = Surface(names={}, gaps=(gap,), installed=installed)
    change = Change(kind="tree", name="release", severity="unknown", proof=reason)
    return _Examined(found=(change,), kept=surface.to_json(), contents=reason, given_up=True)


def _kept(asked: Asked[Package]) -> Surface | str | None:
    """Return the surface of the last accepted release, or why it cannot be read; None for none."""
    if asked.before is None:
        return None
    try:
        found = Surface.from_json(asked.store.path(asked.before).read_bytes())
    except (OSError, ValueError) as error:
        return f"what was kept of {asked.before_version} cannot be read: {error}"
    if found.installed and not isinstance(asked.item, Built):
        return (
            f"of {asked.before_version} is known what its packages install, and nothing is built"
            " here that could be compared with that"
        )
    return found


def _found(
    surface: Surface,
    old: Surface | str | None,
    series: tuple[str, ...],
    vanished: TriesOptions | None,
) -> tuple[Change, ...]:
    """Return what changed; for a first release, what could not be examined in it."""
    if old is None:
        return tuple(
            Change(kind=gap.kind, name=gap.name, severity="info", proof=gap.reason, gap=True)
            for gap in surface.gaps
        )
    if isinstance(old, str):
        return (Change(kind="tree", name="surface", severity="unknown", proof=old),)
    return compare(old, surface, series=series, prober=vanished)


def _findings(changes: tuple[Change, ...]) -> list[Finding]:
    """Return the gravest changes as findings, and the number of the others."""
    found = [
        Finding(
            stage="compat",
            code=change.kind,
            severity=change.severity,
            message=f"{change.full_name}: {change.proof}",
        )
        for change in changes[:_MOST_FINDINGS]
    ]
    rest = len(changes) - len(found)
    if rest:
        message = f"and {rest} more changes, none graver; see the report"
        found.append(Finding(stage="compat", code="more", severity="info", message=message))
    return found


def _as_before(
    found: tuple[Change, ...], old: Surface | str | None, now: Surface | None, tool: Tool
) -> tuple[Change, ...]:
    """Return the changes against what a distribution serves, which stays served there.

    A library's package goes on beside one of another name, and what cannot be read of the old
    release either is ``info``, as in any first release: there is nothing to compare it with.
    """
    if not isinstance(old, Surface):
        return found
    if now is not None:
        found = as_the_distribution_has(side_by_side(found, old, now), now, tool)
    unread = {(gap.kind, gap.name) for gap in old.gaps}
    unread |= {("tree", "surface")} if old.is_empty else set()
    return tuple(
        replace(change, severity="info")
        if change.gap and (change.kind, change.name) in unread
        else change
        for change in found
    )


def _accepted(change: Change, asked: Asked[Package]) -> Change:
    """Return a change; what a person accepted not to know of an earlier release is ``info``."""
    known = change.gap and change.severity == "unknown" and _gap_digest(change) in asked.approved
    proof = f"{change.proof} (unknown, and accepted in an earlier release)"
    return replace(change, severity="info", proof=proof) if known else change


def _gap_digest(change: Change) -> str:
    """Return what an approval of something unexamined is for: what, and why, in any version."""
    name = change.name.partition(" and ")[0]
    why = _VERSION.sub("N", change.proof.removeprefix(OF_OLD))
    return hashlib.sha256(f"gap\0{change.kind}\0{name}\0{why}".encode()).hexdigest()


def _first(verdict: str, summary: str) -> Finding:
    severity = "info" if verdict == "additive" else "unknown"
    return Finding(stage="compat", code="first-release", severity=severity, message=summary)


def _contents(surface: Surface) -> str:
    """Return how much of each kind a release has."""
    counts = [f"{len(names)} {kind}" for kind, names in surface.names.items() if names]
    return ", ".join(counts) or "and nothing that could be read"


def _subject(asked: Asked[Package], examined: _Examined, changes: tuple[Change, ...]) -> str:
    """Return what a decision holds for.

    Packages differ from series to series in bytes that no user sees, so over them it is the
    release and what changed: one decision is enough for all series where they say the same.
    """
    before = [asked.before_version, asked.before.sha256] if asked.before else []
    judged: dict[str, object] = {"before": before, "policy": asdict(asked.tool.compat)}
    if examined.tree:
        judged |= {
            "surface": hashlib.sha256(examined.tree).hexdigest(),
            "series": examined.series,
        }
        if further := [change.told() for change in changes if change.where]:
            judged["further"] = further
    else:
        unpacked = asked.item.source.licensed.unpacked
        judged |= {
            "before": before[:1],
            "origs": [orig.sha256 for orig in unpacked.origs],
            "changes": [change.told() for change in changes],
        }
    return hashlib.sha256(json.dumps(judged, sort_keys=True).encode()).hexdigest()
