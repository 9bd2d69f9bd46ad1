"""Audit the log of publications from the files that are served of it, with a public key alone.

Each check tells what was found: the head's signature, that the served hashes come to its root,
that entries and evidence are those that were hashed, and that an older head is its beginning.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from toolsync.attest.check import BAD, GOOD, Check, check_envelope
from toolsync.attest.envelope import MOST
from toolsync.attest.logged import CHECKPOINT, Entry, entry_of, evidence_name
from toolsync.attest.merkle import consistency_proof, is_consistent, leaf_hash, root_of
from toolsync.attest.note import MOST as MOST_OF_A_NOTE
from toolsync.attest.note import Checkpoint, check_note, read_note
from toolsync.attest.tiles import Get, read_entries, read_hashes
from toolsync.model.errors import ToolsyncError, Unverified

_TOLD = 20
"""How many of the leaves that were added are told by name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LogAudit:
    """What an audit found."""

    checks: tuple[Check, ...]
    head: Checkpoint | None
    """The head that is served, where its signature is good."""
    entries: tuple[Entry, ...] = ()
    before: Checkpoint | None = None
    """The older head that it was compared with."""
    proof: tuple[bytes, ...] = ()
    """The consistency proof from that to this one (RFC 9162, 2.1.4), for others to check."""
    subjects: frozenset[str] = frozenset()
    """SHA-256 of every file that evidence in the log is about."""
    series: frozenset[str] = frozenset()
    """For which it says that the archive served a release."""


def audit_log(
    get: Get, *, keys: Sequence[Path], folder: Path, old: tuple[str, bytes] | None, deep: bool
) -> LogAudit:
    """Return what can be said of the log that ``get`` reads.

    ``keys`` are files with the archive's public keys, ``folder`` is one to work in. ``old`` is the
    name and the content of a file with an older head. With ``deep`` the signatures of all
    evidence are checked, else of none.
    """
    checks: list[Check] = []
    head = None
    try:
        note = read_note(get(CHECKPOINT, MOST_OF_A_NOTE), CHECKPOINT)
        said = check_note(note, keys, folder, place=CHECKPOINT)
        head = note.checkpoint
        root = base64.b64encode(head.root).decode()
        checks.append(_good(CHECKPOINT, f"{head.size} leaves, root {root}, {said}"))
        leaves = read_hashes(get, head.size)
        _require_root(head, leaves)
        checks.append(_good("tree", "the hashes of its leaves come to the signed root"))
        contents = read_entries(get, head.size)
        entries = tuple(_entries(contents, leaves))
        checks.append(_good("entries", "each is what its leaf hashes"))
    except ToolsyncError as error:
        place = "tree" if len(checks) == 1 else "entries" if checks else CHECKPOINT
        return LogAudit(checks=(*checks, _bad(place, error)), head=head)
    wrong, subjects, series = _evidence(get, entries, keys, folder, deep)
    how = "the digests in the log" + (", and signatures that are good" if deep else "")
    checks += wrong or [_good("evidence", f"all {len(entries)} have {how}")]
    before: Checkpoint | None = None
    proof: tuple[bytes, ...] = ()
    if old is not None:
        check, before, proof = _compared(head, leaves, entries, old, keys, folder)
        checks.append(check)
    return LogAudit(
        checks=tuple(checks),
        head=head,
        entries=entries,
        before=before,
        proof=proof,
        subjects=subjects,
        series=series,
    )


def _require_root(head: Checkpoint, leaves: Sequence[bytes]) -> None:
    found = root_of(leaves)
    if found != head.root:
        raise Unverified(
            f"the hashes that are served come to the root {base64.b64encode(found).decode()}, and"
            f" {base64.b64encode(head.root).decode()} is signed"
        )


def _entries(contents: Sequence[bytes], leaves: Sequence[bytes]) -> Iterator[Entry]:
    for number, (content, leaf) in enumerate(zip(contents, leaves, strict=True)):
        if leaf_hash(content) != leaf:
            raise Unverified(f"entry {number} is not what leaf {number} hashes: {content[:200]!r}")
        yield entry_of(content, number)


def _evidence(
    get: Get, entries: Sequence[Entry], keys: Sequence[Path], folder: Path, deep: bool
) -> tuple[list[Check], frozenset[str], frozenset[str]]:
    """Return what is wrong with the evidence, which files it is about, and for which series."""
    wrong: list[Check] = []
    subjects: set[str] = set()
    series: set[str] = set()
    for digest, own in {entry.sha256: entry for entry in entries}.items():
        place = f"{own.tool} {own.version}"
        try:
            data = get(evidence_name(digest), MOST)
            found = hashlib.sha256(data).hexdigest()
            if found != digest:
                raise Unverified(f"its evidence has sha256 {found}, the log says {digest}")
            checks, said = check_envelope(data, keys, folder) if deep else ([], {})
            bad = [check for check in checks if check.verdict != GOOD]
            if bad:
                raise Unverified(f"its evidence: {bad[0].place} {bad[0].sentence}")
            if deep:
                about = said["predicate"]
                if (about.get("tool"), about.get("version")) != (own.tool, own.version):
                    raise Unverified(
                        f"its evidence is about {about.get('tool')} {about.get('version')}"
                    )
                series |= {
                    name
                    for name, told in about["series"].items()
                    if "local" in told and "/" not in name
                }
                subjects |= {item.get("digest", {}).get("sha256") for item in said["subject"]}
        except ToolsyncError as error:
            wrong.append(_bad(place, error))
    return wrong, frozenset(subjects), frozenset(series)


def _compared(
    head: Checkpoint,
    leaves: Sequence[bytes],
    entries: Sequence[Entry],
    old: tuple[str, bytes],
    keys: Sequence[Path],
    folder: Path,
) -> tuple[Check, Checkpoint | None, tuple[bytes, ...]]:
    """Say whether an older head is the beginning of this one."""
    name, data = old
    try:
        note = read_note(data, name)
        said = check_note(note, keys, folder, place=name, past=True)
    except Unverified as error:
        return _bad(name, error), None, ()
    before, place = note.checkpoint, "consistency"
    if before.origin != head.origin:
        what = f"{name} is of another log, {before.origin}; here is {head.origin}"
    elif before.size > head.size:
        gone = before.size - head.size
        what = (
            f"the log was cut: {name} has {before.size} leaves, and {head.size} are served;"
            f" {gone} that were signed are gone"
        )
    else:
        proof = tuple(consistency_proof(before.size, leaves))
        if is_consistent(before.size, head.size, before.root, head.root, proof):
            return _good(place, _grown(name, before, entries, said)), before, proof
        now = base64.b64encode(root_of(leaves[: before.size])).decode()
        was = base64.b64encode(before.root).decode()
        what = (
            f"the log was rewritten: its first {before.size} leaves come to the root {now}, and"
            f" {name} signed {was}"
        )
    return Check(place=place, verdict=BAD, sentence=f"{what} ({said})"), before, ()


def _grown(name: str, before: Checkpoint, entries: Sequence[Entry], said: str) -> str:
    added = [f"{entry.tool} {entry.version}" for entry in entries[before.size :]]
    more = f" and {len(added) - _TOLD} more" if len(added) > _TOLD else ""
    news = f"{len(added)} were added: {', '.join(added[:_TOLD])}{more}" if added else "none more"
    return f"the {before.size} leaves of {name} are the first of this log, {news} ({said})"


def _good(place: str, sentence: str) -> Check:
    return Check(place=place, verdict=GOOD, sentence=sentence)


def _bad(place: str, error: ToolsyncError) -> Check:
    return Check(place=place, verdict=BAD, sentence=str(error))
