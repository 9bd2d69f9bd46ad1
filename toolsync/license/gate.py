"""The license gate: a release goes on only if its terms are allowed to pass.

Fingerprints of normalised texts decide; detectors explain. A first release passes by itself only
where each main text is of an allowed license or was accepted in tool.toml.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from toolsync.archives.tree import open_release
from toolsync.config.definition import Tool
from toolsync.config.settings import Config, Limits
from toolsync.gate.record import Asked
from toolsync.license.change import REVIEW, SILENT, Change
from toolsync.license.compare import compare
from toolsync.license.dep5 import Lack, completed, lacking
from toolsync.license.detect import Detector
from toolsync.license.policy import (
    Policy,
    apply_policy,
    check_first,
    check_main_texts,
    main_expression,
)
from toolsync.license.reading import named, read_terms
from toolsync.license.report import written
from toolsync.license.terms import Terms, from_json, to_json
from toolsync.model.errors import PackageFailed, TooMuch
from toolsync.model.judgment import LICENSE_VERDICTS, Judgment, gravest_verdict
from toolsync.model.release import Blob, Unpacked, dump
from toolsync.system.confined import confined
from toolsync.system.store import Store
from toolsync.system.work import Workshop


def judge(asked: Asked[Unpacked]) -> Judgment:
    """Return what the tool's policy says of a release's terms.

    What takes more than its limits is not known, and held. Raises ProgramMissing, Hostile.
    """
    item, tool, config, before = asked.item, asked.tool, asked.config, asked.before
    store, workshop, before_version = asked.store, asked.workshop, asked.before_version
    approved = asked.approved
    policy = Policy(tool=tool.license, classes=config.license, approved=approved)
    old = from_json(store.path(before).read_bytes()) if before is not None else None
    first = old is None or asked.adopted
    if old is not None and asked.adopted:
        # Judged as a first release, but for what the distribution's own review has let in.
        policy = replace(policy, approved=approved | policy.known_to_main(old))
    detector = Detector(workshop=workshop, cache=config.licenses)
    new = _terms(asked, old, detector)
    known = before_version if old is not None else ""

    def weigh() -> _Weighed:
        lacks, unreadable = _lacks(tool, new)
        changes = [
            *check_main_texts(new, policy),
            *(check_first(new, policy) if first else compare(old or Terms(), new)),
            *_unexplained(detector.problems),
            *_uncovered(lacks, unreadable),
        ]
        settled = tuple(apply_policy(change, new, policy) for change in changes)
        report = written(settled, old or Terms(), new, tool=tool, before=known)
        return _Weighed(settled=settled, report=report, lacks=lacks)

    weighed = _weighed(item, weigh, config.limits)
    settled, lacks = weighed.settled, weighed.lacks
    verdict = gravest_verdict((change.verdict for change in settled), LICENSE_VERDICTS)
    return Judgment(
        stage="license",
        verdict=verdict,
        summary=_summary(settled, new, tool, known),
        findings=tuple(change.finding for change in settled),
        subject=_subject(item, new, tool, config, before),
        carries=_carries(settled, new),
        kept=store.add_bytes(to_json(new), "terms.json"),
        report=store.add_bytes(weighed.report.encode(), "license.txt"),
        notice=_notice(item, tool, lacks, config=config, store=store, workshop=workshop),
        before=known,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Weighed:
    """What the terms come to."""

    settled: tuple[Change, ...]
    report: str
    lacks: tuple[Lack, ...] = ()


def _weighed(item: Unpacked, weigh: Callable[[], _Weighed], limits: Limits) -> _Weighed:
    """Weigh the terms within the limits; what cannot be weighed is not known, and is held."""
    try:
        return confined(
            weigh,
            what="comparing the terms",
            seconds=limits.gate_seconds,
            memory=limits.gate_memory,
        )
    except TooMuch as error:
        reason = f"{error} ({named(item)})"
        change = Change(
            code="too-much", verdict=REVIEW, message=reason, about=(reason,), unknown=True
        )
        return _Weighed(settled=(change,), report=f"{reason}\n")


def _terms(asked: Asked[Unpacked], old: Terms | None, detector: Detector) -> Terms:
    """Return the release's terms, as a worker has read them where one does that for us."""
    if asked.elsewhere is not None:
        found = asked.elsewhere.terms(asked.item, asked.before)
        terms = from_json(asked.store.path(found[0]).read_bytes()) if found else None
        if found and terms is not None:
            detector.problems.extend(found[1])
            return terms
    return read_terms(
        asked.item,
        old,
        detector,
        limits=asked.config.limits,
        store=asked.store,
        workshop=asked.workshop,
    )


def _unexplained(problems: Iterable[str]) -> list[Change]:
    """Return a change for each problem of the detector: it is never taken for unchanged."""
    return [
        Change(code="detector", verdict=REVIEW, message=text, about=(text,), unknown=True)
        for text in problems
    ]


def _lacks(tool: Tool, terms: Terms) -> tuple[tuple[Lack, ...], str]:
    """Return what debian/copyright lacks, and why that cannot be told, if it cannot.

    What is no DEP-5 is held by the packaging's own checks.
    """
    path = tool.debian / "copyright"
    if not path.is_file():
        return (), ""
    try:
        return lacking(path.read_text(errors="replace"), terms), ""
    except PackageFailed as error:
        return (), str(error)


def _uncovered(lacks: Iterable[Lack], unreadable: str) -> list[Change]:
    if unreadable:
        return [Change(code="copyright-unreadable", verdict=SILENT, message=unreadable)]
    return [Change(code="copyright-lacks", verdict=SILENT, message=item.message) for item in lacks]


def _notice(
    item: Unpacked,
    tool: Tool,
    lacks: tuple[Lack, ...],
    *,
    config: Config,
    store: Store,
    workshop: Workshop,
) -> Blob | None:
    """Return debian/copyright with what it lacks, for the package that is made of the release."""
    if not lacks:
        return None
    known = (tool.debian / "copyright").read_text(errors="replace")
    with open_release(item, store=store, workshop=workshop, limits=config.limits) as top:
        text = confined(
            lambda: completed(known, lacks, top),
            what="completing debian/copyright",
            seconds=config.limits.gate_seconds,
            memory=config.limits.gate_memory,
        )
        return store.add_bytes(text.encode(), "copyright")


def _summary(settled: tuple[Change, ...], terms: Terms, tool: Tool, before: str) -> str:
    held = sorted(
        (change for change in settled if change.verdict != SILENT),
        key=lambda change: -LICENSE_VERDICTS.index(change.verdict),
    )
    against = f"compared with {before}" if before else "first release judged"
    if not held:
        what = main_expression(terms, tool.license) or "its terms"
        return f"license terms: {what}, nothing of note ({against})"
    more = f", and {len(held) - 1} more" if len(held) > 1 else ""
    return f"license terms: {held[0].message}{more} ({against})"


def _carries(settled: tuple[Change, ...], terms: Terms) -> tuple[str, ...]:
    held = {change.key for change in settled if change.verdict != SILENT}
    return tuple(sorted(held | {text.fingerprint for text in terms.mains}))


def _subject(
    item: Unpacked,
    terms: Terms,
    tool: Tool,
    config: Config,
    before: Blob | None,
) -> str:
    """Return what a decision holds for; what was approved meanwhile for others is no part of it."""
    parts = {
        "orig": item.orig.sha256,
        **({"components": [b.sha256 for b in item.origs[1:]]} if item.components else {}),
        "terms": terms.digest,
        "policy": dump(tool.license),
        "classes": dump(config.license),
        "before": before.sha256 if before else "",
    }
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()
