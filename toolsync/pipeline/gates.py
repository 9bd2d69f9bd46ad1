"""Ask both gates about a release, and apply what people decided over their answers.

A gate's answer is remembered with all that it depends on, also when it holds the release, and
a decision counts only for the ``subject`` that it was made over: other bytes, other terms or
another policy ask again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

from toolsync.compat import gate as compat_gate
from toolsync.config.definition import Tool
from toolsync.journal.decisions import APPROVED, REJECTED, standing_decision
from toolsync.journal.records import Decision, Key
from toolsync.license import gate as license_gate
from toolsync.model.errors import GateClosed, Rejected, ToolsyncError
from toolsync.model.judgment import Judgment
from toolsync.model.release import Blob, Compatible, Finding, Licensed, Unpacked
from toolsync.model.versions import upstream_key
from toolsync.pipeline.context import Context
from toolsync.pipeline.memory import RULES, fingerprint


def license_cleared(context: Context, tool: Tool, unpacked: Unpacked) -> Licensed:
    """Return the release as its license gate, or a person, lets it pass.

    Raises GateClosed where a person must decide, Rejected where one said no.
    """
    key = _key(tool, unpacked, "license")
    decided = context.journal.decisions(tool.name)
    before = _before(context, key)
    earlier = _carried(decided, key.version)
    inputs = _inputs(context, tool, unpacked, key, before) | {"approved": sorted(earlier)}

    def act() -> Licensed:
        said = _judged(context, key, inputs, lambda: _ask_license(context, tool, unpacked, before))
        findings = (*_settled(key, said, decided), *_approved_earlier(said, earlier))
        return Licensed(unpacked=unpacked, findings=findings, judgment=said)

    try:
        return context.steps.do(
            key, Licensed, {"unpacked": unpacked}, inputs | _decisions(key, decided), act
        )
    except GateClosed:
        _foresee(context, tool, unpacked)
        raise


def compat_cleared(context: Context, tool: Tool, licensed: Licensed) -> Compatible:
    """Return the release as its compatibility gate, or a person, lets it pass; raises likewise."""
    key = _key(tool, licensed.unpacked, "compat")
    decided = context.journal.decisions(tool.name)

    def act() -> Compatible:
        said = _judged_compat(context, tool, licensed)
        findings = _settled(key, said, decided)
        return Compatible(licensed=licensed, findings=findings, judgment=said)

    inputs = _inputs(context, tool, licensed.unpacked, key, _before(context, key))
    return context.steps.do(
        key, Compatible, {"licensed": licensed}, inputs | _decisions(key, decided), act
    )


def _foresee(context: Context, tool: Tool, unpacked: Unpacked) -> None:
    """Ask the second gate too where the first one holds, so that a person sees both at once.

    What it is given goes no further than this.
    """
    with suppress(ToolsyncError):
        _judged_compat(context, tool, Licensed(unpacked=unpacked, findings=()))


def _ask_license(
    context: Context, tool: Tool, unpacked: Unpacked, before: tuple[Blob | None, str]
) -> Judgment:
    kept, before_version = before
    decided = context.journal.decisions(tool.name)
    return license_gate.judge(
        unpacked,
        tool=tool,
        config=context.config,
        store=context.store,
        workshop=context.workshop,
        before=kept,
        before_version=before_version,
        approved=frozenset(_carried(decided, unpacked.release.version)),
    )


def _judged_compat(context: Context, tool: Tool, licensed: Licensed) -> Judgment:
    key = _key(tool, licensed.unpacked, "compat")
    kept, before_version = before = _before(context, key)
    inputs = _inputs(context, tool, licensed.unpacked, key, before)
    return _judged(
        context,
        key,
        inputs,
        lambda: compat_gate.judge(
            licensed,
            tool=tool,
            config=context.config,
            store=context.store,
            workshop=context.workshop,
            before=kept,
            before_version=before_version,
        ),
    )


def _judged(
    context: Context, key: Key, inputs: dict[str, Any], ask: Callable[[], Judgment]
) -> Judgment:
    """Return what a gate says: remembered, where nothing that it depends on has changed."""
    wanted = fingerprint(inputs)
    known = context.journal.judged(key.tool, key.version, key.stage)
    if known is not None and known.inputs == wanted and not context.steps.retry:
        blobs = (known.judgment.kept, known.judgment.report, known.judgment.notice)
        if all(context.store.has(blob) for blob in blobs if blob is not None):
            return known.judgment
    said = ask()
    context.journal.keep_judgment(key, wanted, said)
    return said


def _settled(key: Key, said: Judgment, decided: Sequence[Decision]) -> tuple[Finding, ...]:
    """Return the findings with which a release passes; raise where it does not."""
    decision = standing_decision(decided, key.version, key.stage, said.subject)
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


def _approved_earlier(said: Judgment, earlier: dict[str, Decision]) -> tuple[Finding, ...]:
    """Return a finding for each earlier decision by which the same terms are approved."""
    used = {id(d): d for digest in said.carries if (d := earlier.get(digest))}
    return tuple(_approval("license", "approved-earlier", decision) for decision in used.values())


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


def _before(context: Context, key: Key) -> tuple[Blob | None, str]:
    """Return what a gate has kept of the newest older release that both gates let pass."""
    here = upstream_key(key.version)
    older = [v for v in context.journal.cleared(key.tool) if upstream_key(v) < here]
    if not older:
        return None, ""
    version = max(older, key=upstream_key)
    said = context.journal.judged(key.tool, version, key.stage)
    kept = said.judgment.kept if said else None
    return (kept, version) if kept is not None and context.store.has(kept) else (None, "")


def _inputs(
    context: Context, tool: Tool, unpacked: Unpacked, key: Key, before: tuple[Blob | None, str]
) -> dict[str, Any]:
    kept, before_version = before
    policies = {
        "license": [tool.license, context.config.license],
        "compat": [tool.compat, context.config.compat],
    }
    return {
        "orig": unpacked.orig.sha256,
        "policy": policies[key.stage],
        "before": [before_version, kept.sha256 if kept else ""],
        "gate": RULES[key.stage],
    }


def _decisions(key: Key, decided: Sequence[Decision]) -> dict[str, Any]:
    """Return what of a person's decisions a stage's result depends on."""
    here = [d for d in decided if (d.version, d.stage) == (key.version, key.stage)]
    return {"decisions": [[d.verdict, d.subject, d.at] for d in here]}


def _key(tool: Tool, unpacked: Unpacked, stage: str) -> Key:
    return Key(tool=tool.name, version=unpacked.release.version, stage=stage)
