"""Ask the gates about a release, and apply what people decided over their answers.

A gate's answer is remembered with all that it depends on, also when it holds the release, and
a decision counts only for the ``subject`` that it was made over: other bytes, other terms or
another policy ask again. Only this module makes the values that stand for a gate's consent.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from toolsync.binding.gate import gate_with
from toolsync.gate.binding import BINDING
from toolsync.gate.record import Asked, Gate
from toolsync.journal.decisions import APPROVED, REJECTED, Decision, newest_decision
from toolsync.journal.judgments import Judged
from toolsync.journal.key import Key
from toolsync.model.errors import GateClosed, Rejected
from toolsync.model.judgment import Judgment
from toolsync.model.release import (
    Blob,
    Built,
    Compatible,
    Finding,
    Licensed,
    Package,
    Passed,
    SourcePackage,
    Unpacked,
)
from toolsync.model.versions import upstream_key
from toolsync.pipeline.accepted import before_of, is_of_old
from toolsync.pipeline.earlier import packages_of
from toolsync.pipeline.elsewhere import elsewhere_of
from toolsync.pipeline.memory import Kept, fingerprint
from toolsync.pipeline.sources import upload_of
from toolsync.pipeline.work import Work, key_of

S = TypeVar("S")


def version_cleared(work: Work, unpacked: Unpacked) -> Passed:
    """Return the consent of the gate over the release's version, the first of all.

    What was accepted before there was this gate stays so: an upgrade holds nothing. Raises as
    `source_cleared`.
    """
    gate = gate_with(BINDING, before_of(work.context.journal, unpacked.verified))
    asking = _Asking(work, gate, unpacked, work.key(gate.name))
    if is_of_old(work.context.journal, unpacked.verified):
        return Passed(findings=(), judgment=asking.said(frozenset()))
    return asking.passed()


def source_cleared(work: Work, unpacked: Unpacked) -> Licensed:
    """Return the release as the gates over its files, or a person, let it pass.

    Raises GateClosed where a person must decide, Rejected where one said no.
    """
    version = version_cleared(work, unpacked)
    others = [gate for gate in work.context.gates.files if gate.name != BINDING.name]
    asking = [_Asking(work, gate, unpacked, work.key(gate.name)) for gate in others]
    return Licensed(unpacked=unpacked, passed=(version, *(one.passed() for one in asking)))


def shown(work: Work, unpacked: Unpacked) -> Licensed:
    """Return a release as a person is to see it who decides over what holds it.

    It has no gate's consent, and a source package of it is for a proposal alone: it is never kept
    as a stage's result, claimed or published.
    """
    said = work.context.journal.judgments.of_release(work.tool.name, work.version)
    files = {gate.name for gate in work.context.gates.files}
    passed = (
        Passed(findings=one.judgment.findings, judgment=one.judgment)
        for one in said
        if one.key.stage in files
    )
    return Licensed(unpacked=unpacked, passed=tuple(passed))


def package_cleared(work: Work, package: Package) -> Compatible:
    """Return a package as the gates over packages, or a person, let it pass; raises likewise."""
    claimed = upload_of(work.context, package.source) is not None
    asking = [
        _Asking(work, gate, package, key_of(package.source, gate.name), claimed)
        for gate in work.context.gates.packages
    ]
    return Compatible(package=package, passed=tuple(one.passed() for one in asking))


def copy_cleared(original: Compatible, source: SourcePackage) -> Compatible:
    """Return a copy of a package that has passed, for another series: its binaries are the same."""
    return Compatible(package=source, passed=original.passed)


@dataclass(frozen=True, slots=True)
class _Asking(Generic[S]):
    """One gate that is asked about one release."""

    work: Work
    gate: Gate[S]
    item: S
    key: Key
    claimed: bool = False
    """Whether the package was claimed for a target: what was decided of it then stands."""

    def passed(self) -> Passed:
        """Return the gate's consent, remembered if it can be; raise where there is none."""
        decided = self.work.context.journal.decisions.of(self.key.tool)
        earlier = _carried(decided, self.key.version)
        inputs = {**self._inputs(), "approved": sorted(earlier)}
        here = [d for d in decided if (d.version, d.stage) == (self.key.version, self.key.stage)]
        over = {"decisions": [[d.verdict, d.subject, d.at] for d in here]}

        def act() -> Passed:
            said = self._judged(inputs, frozenset(earlier))
            findings = (*_settled(self.key, said, decided), *_approved_earlier(said, earlier))
            return Passed(findings=findings, judgment=said)

        memory, kept = self.work.context.memory, _kept(self.gate)
        if self.claimed:
            known = self.work.context.journal.results.get(self.key)
            value = known and memory.recall(kept, known, None)
            if value:
                return value
        return memory.do(kept, self.key, None, lambda: inputs | over, act)

    def _inputs(self) -> dict[str, object]:
        before, version, _ = self._before()
        tool, config = self.work.tool, self.work.context.config
        return {
            **self.gate.inputs(self.item),
            "policy": self.gate.policy(tool, config),
            "before": [version, before.sha256 if before else ""],
            "gate": self.gate.rules,
            **({"earlier": earlier} if (earlier := self._earlier()) else {}),
        }

    def _judged(self, inputs: Mapping[str, object], approved: frozenset[str]) -> Judgment:
        """Return what the gate says: remembered, where nothing that it depends on has changed."""
        context, key = self.work.context, self.key
        wanted = fingerprint(inputs)
        known = context.journal.judgments.get(key)
        if known is not None and known.inputs == wanted and not context.memory.retry:
            blobs = (known.judgment.kept, known.judgment.report, known.judgment.notice)
            if all(context.store.has(blob) for blob in blobs if blob is not None):
                return known.judgment
        said = self.said(approved)
        context.memory.judged(key, wanted, said)
        return said

    def said(self, approved: frozenset[str]) -> Judgment:
        """Return what the gate says now, of which nothing is kept."""
        context = self.work.context
        before, version, adopted = self._before()
        return self.gate.judge(
            Asked(
                item=self.item,
                tool=self.work.tool,
                config=context.config,
                store=context.store,
                workshop=context.workshop,
                before=before,
                before_version=version,
                approved=approved,
                adopted=adopted,
                earlier=self._earlier(),
                elsewhere=elsewhere_of(context),
            )
        )

    def _before(self) -> tuple[Blob | None, str, bool]:
        """Return what the gate has kept of the newest older release that all gates let pass.

        Where there is none, it is what the distribution had when its packaging was adopted; the
        last value says so.
        """
        context, older = self.work.context, self._older()
        if not older:
            return self._adopted()
        version = older[0]
        said = _nearest(context.journal.judgments.of_release(self.key.tool, version), self.key)
        kept = said.judgment.kept if said else None
        known = kept is not None and context.store.has(kept)
        return (kept, version, False) if known else (None, "", False)

    def _older(self) -> list[str]:
        """Return the older versions that all gates let pass, the newest first."""
        here = upstream_key(self.key.version)
        cleared = self.work.context.journal.results.cleared(self.key.tool)
        older = (version for version in cleared if upstream_key(version) < here)
        return sorted(older, key=upstream_key, reverse=True)

    def _earlier(self) -> Mapping[str, tuple[Blob, ...]]:
        """Return what older releases had for the further architectures of this one."""
        if not isinstance(self.item, Built) or not self.item.others:
            return {}
        results, older = self.work.context.journal.results, self._older()
        names = [other.made_for for other in self.item.others]
        found = {name: packages_of(results, self.key, older, name) for name in names}
        return {name: debs for name, debs in found.items() if debs}

    def _adopted(self) -> tuple[Blob | None, str, bool]:
        """Return what the gate would have kept of the release whose packaging was adopted."""
        found = self.work.tool.base(self.gate.name)
        if found is None or upstream_key(found[1]) >= upstream_key(self.key.version):
            return None, "", False
        path, version = found
        return self.work.context.store.add_file(path, path.name), version, True


def _nearest(said: Sequence[Judged], key: Key) -> Judged | None:
    """Return a gate's answer for the key's series, else for the whole release, else any."""
    series = key.scope.partition("/")[0]
    found = {one.key.scope.partition("/")[0]: one for one in said if one.key.stage == key.stage}
    return found.get(series) or found.get("") or next(iter(found.values()), None)


def _kept(gate: Gate[S]) -> Kept[None, Passed]:
    return Kept(name=gate.name, rules=gate.rules, value=Passed, wraps="")


def _settled(key: Key, said: Judgment, decided: Sequence[Decision]) -> tuple[Finding, ...]:
    """Return the findings with which a release passes; raise where it does not."""
    decision = newest_decision(decided, key.version, key.stage, said.subject)
    if decision is not None and decision.verdict == REJECTED:
        raise Rejected(
            f"{key.tool} {key.version} was rejected by {decision.who} on {decision.at}"
            f" ({decision.reason}); the {key.stage} gate had found: {said.summary}",
            resolution="It is not offered again. To take it after all: "
            f"toolsync approve {key.tool} {key.version} --reason TEXT",
            log=said.report,
        )
    if said.passes:
        return said.findings
    if decision is None:
        raise GateClosed(
            f"{key.tool} {key.version}: {said.summary}",
            resolution=f"Look at it with: toolsync review {key.tool}; then decide: toolsync "
            f"approve|reject {key.tool} {key.version} --reason TEXT",
            log=said.report,
        )
    return (*said.findings, _approval(key.stage, "approved", decision))


def _approved_earlier(said: Judgment, earlier: Mapping[str, Decision]) -> tuple[Finding, ...]:
    """Return a finding for each earlier decision by which the same terms are approved."""
    used = {id(d): d for digest in said.carries if (d := earlier.get(digest))}
    return tuple(_approval(said.stage, "approved-earlier", found) for found in used.values())


def _approval(stage: str, code: str, decision: Decision) -> Finding:
    return Finding(
        stage=stage,
        code=code,
        severity="info",
        message=f"{decision.who} approved {decision.version} on {decision.at}: {decision.reason}",
    )


def _carried(decided: Sequence[Decision], version: str) -> dict[str, Decision]:
    """Return what people approved in older releases and what reaches this one, by digest."""
    last = {(d.version, d.stage, d.subject): d for d in decided}
    here = upstream_key(version)
    return {
        digest: decision
        for decision in last.values()
        if decision.verdict == APPROVED and upstream_key(decision.version) < here
        for digest in decision.carries
    }
