"""See that signed evidence is in the log of publications, by a proof and nothing else."""

from __future__ import annotations

import errno
from collections.abc import Callable, Sequence
from pathlib import Path

from toolsync.attest.check import BAD, ELSEWHERE, GOOD, MISSING, Check
from toolsync.attest.logged import entry_of
from toolsync.attest.merkle import is_included, leaf_hash
from toolsync.attest.note import MOST, Proof, check_note, read_proof
from toolsync.attest.statement import Record
from toolsync.model.errors import Unverified, UsageError

SUFFIX = ".tlog-proof"
"""What stands behind the name of evidence in that of its proof (C2SP tlog-proof)."""
Prove = Callable[[str], Proof | None]
"""Gives, for the sha256 of signed evidence, the proof that a log has it, None where none is."""


def proof_beside(file: Path, otherwise: Prove) -> Prove:
    """Return what proves a file of evidence: the proof beside it, if it lies there.

    Raises UsageError where it could not be looked for.
    """
    path = file.with_name(file.name + SUFFIX)
    try:
        if not path.is_file():
            return otherwise
        with path.open("rb") as source:
            data = source.read(MOST + 1)
    except OSError as error:
        if error.errno == errno.ENAMETOOLONG:  # no file can have that name
            return otherwise
        raise UsageError(
            f"{path} cannot be read: {error.strerror}",
            resolution="Put the evidence into a folder that you may read.",
        ) from error
    return lambda _: read_proof(data, path.name)


def check_logged(
    sha256: str, record: Record, prove: Prove, keys: Sequence[Path], folder: Path
) -> Check:
    """Say whether evidence with this digest is in the log that it names.

    ``record`` is its predicate; ``keys`` are files with the keys that may sign a head.
    """
    named = record.get("signed_by", {}).get("log", "")
    try:
        proof = prove(sha256)
        if proof is None and not named:
            said = "it was signed before there was a log of publications"
            return Check(place="log", verdict=ELSEWHERE, sentence=said)
        if proof is None:
            said = (
                f"no proof is here that {named} has it: a file EVIDENCE{SUFFIX} beside it, as"
                " toolsync evidence --output writes it, or the archive's log (toolsync audit)"
            )
            return Check(place="log", verdict=MISSING, sentence=said)
        _require(proof, sha256, record, named)
        signed = check_note(proof.note, keys, folder, place="the log's head", past=True)
    except Unverified as error:
        return Check(place="log", verdict=BAD, sentence=str(error))
    head = proof.note.checkpoint
    said = f"leaf {proof.index} of the {head.size} of {head.origin}, whose head is {signed}"
    return Check(place="log", verdict=GOOD, sentence=said)


def _require(proof: Proof, sha256: str, record: Record, named: str) -> None:
    entry, head = entry_of(proof.entry, proof.index), proof.note.checkpoint
    release = (record.get("tool"), record.get("version"))
    if entry.sha256 != sha256 or (entry.tool, entry.version) != release:
        raise Unverified(
            f"leaf {proof.index} is {entry.tool} {entry.version} with sha256 {entry.sha256}, and"
            f" this evidence is {' '.join(map(str, release))} with {sha256}"
        )
    if named and head.origin != named:
        raise Unverified(f"it names the log {named}, and the proof is of {head.origin}")
    leaf = leaf_hash(proof.entry)
    if not is_included(leaf, proof.index, head.size, proof.hashes, head.root):
        raise Unverified(
            f"the proof does not lead from leaf {proof.index} to the root of the {head.size} leaves"
        )
