"""Check signed evidence offline: envelope, signature, statement, files.

Each check names its place, as a path into the envelope or the predicate, or a file. What is
not at hand is said to be missing, and never passed over in silence.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from toolsync.attest.envelope import Envelope, pae, read_envelope, read_json
from toolsync.attest.statement import (
    GATES,
    PREDICATE,
    STATEMENT,
    Record,
    builds_itself,
    made,
    served,
    subjects,
    targets,
)
from toolsync.journal.decisions import APPROVED
from toolsync.model.errors import Unverified
from toolsync.model.judgment import PASSING
from toolsync.model.values import Blob, load
from toolsync.system.gpg import check_detached, inspect_keys
from toolsync.system.store import digest_of
from toolsync.verify.methods import pinned_in

_PARTS = ("release", "accepted", "fetch", "verify", "unpack", "license", "series", "policy")

Find = Callable[[Blob], Path | None]
"""Gives a file by its digest, None where it is not at hand."""

GOOD, BAD, MISSING, ELSEWHERE = "good", "bad", "missing", "elsewhere"


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One thing that was looked at."""

    place: str
    verdict: str
    """``good``, ``bad``, ``missing``, or ``elsewhere`` for what was never here."""
    sentence: str


def check_envelope(
    data: bytes, keys: Sequence[Path], folder: Path
) -> tuple[list[Check], dict[str, Any]]:
    """Check form and signature; return the checks and the statement, empty where none counts.

    ``keys`` are files with the public keys that may sign; ``folder`` is one to work in.
    """
    try:
        envelope = read_envelope(data)
        said = _signer(envelope, keys, folder)
        found = read_json(envelope.payload, "payload")
        _shape(found)
    except Unverified as error:
        place, _, problem = str(error).partition(" ")
        return [Check(place=place, verdict=BAD, sentence=problem)], {}
    return [Check(place="envelope.signatures[0]", verdict=GOOD, sentence=said)], found


def _signer(envelope: Envelope, keys: Sequence[Path], folder: Path) -> str:
    """Return in words who signed; raises Unverified where it was none of ``keys``."""
    data, signature = folder / "pae", folder / "signature"
    data.write_bytes(pae(envelope.payload))
    signature.write_bytes(envelope.signature)
    wanted = {key.fingerprint for key in inspect_keys(keys)}
    judged = check_detached(signature, data, keys)
    place = "envelope.signatures[0]"
    if len(judged) != 1 or judged[0].status != "good" or judged[0].weak:
        what = judged[0].note or f"is no good signature: {judged[0].status}"
        raise Unverified(f"{place} {what}; wanted one by {', '.join(sorted(wanted)) or 'a key'}")
    if judged[0].primary not in wanted or envelope.keyid != judged[0].primary:
        raise Unverified(
            f"{place} is by {judged[0].primary}, and names {envelope.keyid}; wanted"
            f" {', '.join(sorted(wanted))}"
        )
    return f"signed by {judged[0].primary} on {judged[0].created}"


def _shape(found: Any) -> None:
    """Raise Unverified unless this is a statement of ours with all that the checks read."""
    wanted = {"_type": STATEMENT, "predicateType": PREDICATE}
    for name, value in wanted.items():
        if not isinstance(found, dict) or found.get(name) != value:
            raise Unverified(f"statement.{name} is not {value!r}")
    if not isinstance(found.get("subject"), list) or not found["subject"]:
        raise Unverified("statement.subject is no list of files")
    predicate = found.get("predicate")
    for name in _PARTS:
        if not isinstance(predicate, dict) or not isinstance(predicate.get(name), dict):
            raise Unverified(f"predicate.{name} is not there: this is no record of a release")


def check_statement(said: Record) -> Iterator[Check]:
    """Yield a check for each thing in a statement that must agree with another.

    A signer whose journal was tampered with signs what does not hold together.
    """
    record = said["predicate"]
    try:
        wrong = [
            *_subjects_agree(said, record),
            *_origin_agrees(record),
            *_gates_agree(record),
            *_packages_agree(record),
        ]
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        wrong = [("predicate", f"is not of the form that this version reads: {error!r}")]
    yield from (Check(place=place, verdict=BAD, sentence=fault) for place, fault in wrong)
    if not wrong:
        yield Check(place="predicate", verdict=GOOD, sentence="its parts agree with each other")


Faults = Iterator[tuple[str, str]]
"""Places and what is wrong there."""


def _subjects_agree(said: Record, record: Record) -> Faults:
    named = [(s.get("name"), s.get("digest", {}).get("sha256")) for s in said["subject"]]
    wanted = {(name, digest) for _, name, digest in subjects(record)}
    for number, subject in enumerate(named):
        if subject not in wanted:
            yield f"statement.subject[{number}]", f"{subject[0]} {subject[1]} is not in the record"
    for name, digest in sorted(wanted - set(named)):
        yield "statement.subject", f"lacks {name} {digest}, which the record has"


def _origin_agrees(record: Record) -> Faults:
    """Yield faults in the way from the page to the accepted archive."""
    archive = record["fetch"]["archive"]["sha256"]
    accepted, stated = record["accepted"]["sha256"], record["release"]["sha256"]
    if accepted != archive:
        yield "predicate.accepted.sha256", f"is {accepted}, but {archive} was fetched"
    if stated and stated.lower() != archive:
        yield "predicate.release.sha256", f"the page states {stated}, but {archive} was fetched"
    proof, policy = record["verify"], record["policy"]["verify"]
    if not proof["method"] or proof["method"] != policy["method"]:
        yield "predicate.verify.method", f"is {proof['method']!r}, wanted {policy['method']!r}"
    pinned = pinned_in(policy)
    if pinned and not proof["fingerprint"]:
        yield "predicate.verify.fingerprint", f"is nobody's, wanted one of {pinned}"
    more = (gate for gate in record["policy"].get("gates", ()) if gate in record)
    for stage in ("fetch", "verify", "unpack", "license", *more):
        told = record[stage]
        if told["outcome"] != "done" or not told["started"] <= told["finished"]:
            yield f"predicate.{stage}", f"is {told['outcome']}, wanted done, from start to end"


def _gates_agree(record: Mapping[str, Any]) -> Faults:
    """Every gate has spoken, over the release's files or over each package."""
    asked = (*GATES, *record["policy"].get("gates", ()))
    for gate in asked:
        if gate in record:
            yield from _gate_agrees(gate, f"predicate.{gate}", record[gate], record)
    for series, place in record["series"].items():
        for gate in asked:
            where = f"predicate.series.{series}.{gate}"
            if place.get(gate, {}).get("outcome") == "skipped":
                continue
            if gate in place:
                yield from _gate_agrees(gate, where, place[gate], record)
            elif gate not in record and targets(place):
                yield where, "is not there: nothing was judged"


def _gate_agrees(
    gate: str, where: str, told: Mapping[str, Any], record: Mapping[str, Any]
) -> Faults:
    """A gate lets pass by itself, or by an approval over exactly its subject."""
    said = told.get("judgment")
    if said is None:
        yield f"{where}.judgment", "is not there: nothing was judged"
        return
    over = [
        decision["verdict"]
        for decision in record.get("decisions", ())
        if decision["stage"] == gate
        and decision["version"] == record["version"]
        and decision["subject"] == said["subject"]
    ]
    if over and over[-1] != APPROVED:
        yield where, f"was {over[-1]} by a person"
    elif not over and said["verdict"] not in PASSING:
        yield (
            f"{where}.judgment",
            f"is {said['verdict']}, and no approval over {said['subject']} is in the record",
        )


def _packages_agree(record: Record) -> Faults:
    """Yield faults in what was packaged, built and served for each series."""
    orig = record["unpack"]["orig"]
    if not any(place.get("package") for place in record["series"].values()):
        yield "predicate.series", "names no source package"
    for series, place in record["series"].items():
        if place.get("package", {}).get("outcome") != "done":
            continue
        ours = dict(made(place))
        if known_orig(place) is None and ours.get(orig["name"]) != orig["sha256"]:
            yield (
                f"predicate.series.{series}.package",
                f"has {orig['name']} as {ours.get(orig['name'])}, wanted {orig['sha256']}",
            )
        for target, told in targets(place).items():
            for name, digest in served(told):
                wanted = ours.get(name, digest)
                theirs = name.endswith(".deb") and builds_itself(target)
                if wanted != digest and not theirs:
                    yield (
                        f"predicate.series.{series}.{target}.confirm",
                        f"served {name} as {digest}, but {wanted} was made",
                    )


def known_orig(place: Record) -> Blob | None:
    """Return the orig that a packaging took from its target in place of ours, if it did."""
    package = place.get("package", {})
    if not any(said.get("code") == "known-orig" for said in package.get("findings", ())):
        return None
    origs = [blob for blob in package.get("files", ()) if ".orig.tar." in blob["name"]]
    return load(Blob, origs[0]) if len(origs) == 1 else None


def blobs(part: Any, place: str = "predicate") -> Iterator[tuple[str, Blob]]:
    """Yield every file that a record names, with its place; each place once."""
    if isinstance(part, Mapping):
        if {"name", "sha256", "size"} <= set(part) and isinstance(part["size"], int):
            yield (
                place,
                Blob(name=str(part["name"]), sha256=str(part["sha256"]), size=part["size"]),
            )
            return
        if {"path", "sha256", "size"} <= set(part):
            yield (
                f"policy file {part['path']}",
                Blob(name=str(part["path"]), sha256=str(part["sha256"]), size=part["size"]),
            )
            return
        for name, item in part.items():
            yield from blobs(item, f"{place}.{name}")
    elif isinstance(part, list):
        for number, item in enumerate(part):
            yield from blobs(item, f"{place}[{number}]")


def check_files(record: Record, find: Find) -> Iterator[Check]:
    """Yield a check for each file that the record names: here, and of these bytes."""
    seen: set[Blob] = set()
    for place, blob in blobs(record):
        if blob in seen:
            continue
        seen.add(blob)
        path = find(blob)
        if path is None and ".ppa:" in place and blob.name.endswith(".deb"):
            said = f"{blob.name} was made by the PPA and is not here"
            yield Check(place=place, verdict=ELSEWHERE, sentence=said)
            continue
        if path is None:
            yield Check(place=place, verdict=MISSING, sentence=f"{blob.name} is not here")
            continue
        digest, size = digest_of(path)
        same = (digest, size) == (blob.sha256, blob.size)
        what = "is as stated" if same else f"has sha256 {digest}, wanted {blob.sha256}"
        yield Check(place=place, verdict=GOOD if same else BAD, sentence=f"{blob.name} {what}")
