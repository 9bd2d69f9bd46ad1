"""The gate over a release's version: by what it is bound to the bytes that were proved.

A proof is of bytes. That they are of this version is said by a signed list that names them, a
signed tag, a pin, the index, or the archive itself: its top folder, or a member that the tool's
definition names. Where one of them clearly says another version, or the signature is older than
that of an older release, the release waits for a person. Where nothing says anything, nothing is
claimed, and the evidence tells so.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import partial

from toolsync.binding.stated import Expected, prefix_of, read, squeezed
from toolsync.config.definition import Tool
from toolsync.gate.binding import BINDING
from toolsync.gate.record import Asked, Gate
from toolsync.model.judgment import BINDING_VERDICTS, Judgment
from toolsync.model.release import Finding, Part, Proof, Unpacked

_BY_METHOD = {"index": "index", "pins": "pin", "tag": "tag"}
"""What binds a version by the very method that proves it, in the words of the evidence."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Before:
    """What is known of the tool's other releases."""

    older: str = ""
    """Of the older releases that were accepted, the one whose signature is the newest."""
    signed_at: str = ""
    """When that was made."""
    renumbered: tuple[str, ...] = ()
    """Components with the bytes of another version of theirs, in words."""


NOTHING = Before()


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What one thing says of the version."""

    by: str
    sentence: str
    agrees: bool


def gate_with(gate: Gate[Unpacked], before: Before) -> Gate[Unpacked]:
    """Return the gate, which knows what was accepted before."""
    known = [before.older, before.signed_at, *before.renumbered]
    return replace(
        gate,
        judge=partial(judge, before=before),
        inputs=lambda item: {**gate.inputs(item), "known": known},
    )


def judge(asked: Asked[Unpacked], before: Before = NOTHING) -> Judgment:
    """Return by what the release's version is bound to its bytes, and what speaks against it."""
    item = asked.item
    said = tuple(_said(item, asked.tool, before))
    against = [one for one in said if not one.agrees]
    bound = [*dict.fromkeys(one.by for one in said if one.agrees)]
    version = item.release.version
    if against:
        verdict, summary = BINDING_VERDICTS[-1], "; ".join(one.sentence for one in against)
    elif bound:
        verdict, summary = "bound", f"{version} is bound to its bytes by {' and '.join(bound)}"
    else:
        verdict, summary = "unbound", f"nothing that was proved says that these bytes are {version}"
    return Judgment(
        stage=BINDING.name,
        verdict=verdict,
        summary=summary,
        findings=tuple(map(_finding, said)) or (_none(summary),),
        subject=_subject(item, against),
        before=before.older if any(one.by == "date" for one in against) else "",
    )


def bound_by(findings: Iterable[Finding]) -> frozenset[str]:
    """Return the words of what binds a version, among a judgment's findings."""
    return frozenset(one.code for one in findings if one.severity == "info") - {"none"}


def _said(item: Unpacked, tool: Tool, before: Before) -> Iterator[Said]:
    verified, release = item.verified, item.release
    parts = (release.main, *release.components)
    tops = (item.top, *(component.top for component in item.components))
    if by := _BY_METHOD.get(verified.method) or _tagged(release.main, verified.fingerprint):
        yield Said(by=by, sentence=verified.statement, agrees=True)
    every = zip(parts, verified.proofs, tops, strict=True)
    # Of a tarball that nothing proves, as a person may fetch one by a watch file, nothing is asked.
    rows = [row for row in every if verified.method != "watch" or row[1].fingerprint]
    for part, proof, top in rows:
        yield from _of_part(item, tool, part, proof, top)
    yield from _swapped(item, rows)
    yield from _of_member(item, tool)
    late = verified.signed_at
    if late and before.signed_at and late < before.signed_at:
        yield Said(
            by="date",
            sentence=f"the signature of {release.version} was made at {late}, before that of the"
            f" older {before.older} ({before.signed_at})",
            agrees=False,
        )
    for sentence in before.renumbered:
        yield Said(by="bytes", sentence=f"the component {sentence}", agrees=False)


def _tagged(main: Part, fingerprint: str) -> str:
    return "tag" if main.plan.mode == "tag" and fingerprint else ""


def _of_part(item: Unpacked, tool: Tool, part: Part, proof: Proof, top: str) -> Iterator[Said]:
    expected = _expected(item, tool, part)
    names = [("signed-list", "the signed list calls the file", proof.listed.rpartition("/")[2])]
    names += [] if part.git else [("top-folder", "the archive's top folder is", top)]
    for by, words, name in names:
        if not (name and (proof.fingerprint or by != "signed-list")):
            continue
        says, stated = read(name, expected)
        if says != "nothing" and not (part.component and says == "same"):
            yield _one(item, part, by, f"{words} {name!r}", stated)


def _one(item: Unpacked, part: Part, by: str, words: str, stated: str) -> Said:
    version = part.version if part.component else item.release.version
    what = f"component {part.component} {version}" if part.component else version
    but = f": it says version {stated}, not {what}" if stated else f", as {what} should"
    return Said(by=by, sentence=f"{words}{but}", agrees=not stated)


def _swapped(item: Unpacked, rows: list[tuple[Part, Proof, str]]) -> Iterator[Said]:
    """Give what says that a tarball is another one of the release's own."""
    called = {part.component: _called(item, part) for part, _, _ in rows}
    for part, _, top in rows:
        name = squeezed(top.partition("-")[0] if "-" not in top else top.rpartition("-")[0])
        others = {n: c for c, n in called.items() if c != part.component and n}
        if name and name != called[part.component] and name in others:
            mine = f"component {part.component}" if part.component else "the main tarball"
            theirs = f"component {others[name]}" if others[name] else "the main tarball"
            yield Said(
                by="top-folder",
                sentence=f"the top folder of {mine} is {top!r}, as {theirs} is called",
                agrees=False,
            )


def _of_member(item: Unpacked, tool: Tool) -> Iterator[Said]:
    member = tool.own.get("binding", {}).get("member", "")
    if not member:
        return
    if not item.stated:
        words = f"no member {member!r} of the archive states a version, as binding.member"
        yield Said(by="member", sentence=f"{words} says", agrees=False)
        return
    says, stated = read(item.stated, _expected(item, tool, item.release.main))
    if says != "nothing":
        words = f"the member {member!r} says {item.stated!r}"
        yield _one(item, item.release.main, "member", words, stated)


def _expected(item: Unpacked, tool: Tool, part: Part) -> Expected:
    release = item.release
    known = (
        (part.version,) if part.component else (release.version, release.raw_version, part.version)
    )
    spellings = tuple(dict.fromkeys(known))
    names = (part.component,) if part.component else (tool.name, tool.source, tool.watch.project)
    called = {squeezed(name) for name in names} | {_called(item, part)}
    return Expected(spellings=spellings, names=frozenset(called - {""}), rules=tool.watch.mangle)


def _called(item: Unpacked, part: Part) -> str:
    """Return what a tarball is called before its version."""
    release = item.release
    known = (part.version,) if part.component else (release.raw_version, release.version)
    return prefix_of(part.filename, known)


def _finding(said: Said) -> Finding:
    severity = "info" if said.agrees else "breaking"
    return Finding(stage=BINDING.name, code=said.by, severity=severity, message=said.sentence)


def _none(summary: str) -> Finding:
    return Finding(stage=BINDING.name, code="none", severity="info", message=summary)


def _subject(item: Unpacked, against: list[Said]) -> str:
    """Return the digest of what a person decides over: the bytes, and what speaks against them."""
    told = {
        "version": item.release.version,
        "bytes": [blob.sha256 for blob in item.verified.contents],
        "against": [[one.by, one.sentence] for one in against],
    }
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()
