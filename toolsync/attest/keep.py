"""Gather what the journal knows of a release, sign it when it is published, and keep it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from toolsync.attest.envelope import Envelope, pae, read_envelope, read_json, sealed
from toolsync.attest.note import ORIGIN
from toolsync.attest.record import evidence
from toolsync.attest.sbom import SUFFIX, sbom
from toolsync.attest.statement import GATES, Record, payload, statement
from toolsync.config.definition import Tool
from toolsync.config.settings import Config
from toolsync.gate.binding import BINDING
from toolsync.journal.decisions import Decision
from toolsync.journal.journal import Journal
from toolsync.license.terms import from_json
from toolsync.model.errors import UsageError
from toolsync.model.values import Blob, dump, load
from toolsync.model.versions import upstream_key
from toolsync.system.gpg import SigningHome
from toolsync.system.signing import Signer
from toolsync.system.store import Store, digest_of
from toolsync.system.work import Workshop


def gather(journal: Journal, tool: Tool, release: str) -> dict[str, object]:
    """Return all that is known of a release: its stages, who decided what, by which policy.

    Raises UsageError for a version that was never taken.
    """
    rows = {row.version: row for row in journal.releases.of(tool.name)}
    if release not in rows:
        raise UsageError(
            f"{tool.name} {release} was never taken; there are: {', '.join(rows) or 'none'}",
            resolution=f"See toolsync log {tool.name}.",
        )
    results = journal.results.of_release(tool.name, release)
    record = evidence(tool.name, release, rows[release], results, journal.uploads.of(tool.name))
    decided = _relevant(journal.decisions.of(tool.name), release, record)
    return {
        **record,
        "decisions": [dump(decision) for decision in decided],
        # What was taken before there was the gate over the version is told as it was.
        "policy": _policy(
            tool,
            release,
            [g for g in journal.judgments.gates if g != BINDING.name or g in record],
        ),
    }


def attest(
    tool: Tool,
    release: str,
    *,
    journal: Journal,
    store: Store,
    config: Config,
    workshop: Workshop,
    key: Callable[[], str],
) -> Blob:
    """Return the signed evidence of a release, signed now if it is not what was signed last.

    ``key`` gives the fingerprint of the key that signs, and is asked when something is to be
    signed. Raises SetupError when it cannot sign.
    """
    record = gather(journal, tool, release)
    # Who signs, and what follows from the rest, is no part of what is known: an upgrade must not
    # sign everything anew.
    digest = hashlib.sha256(payload(statement(record))).hexdigest()
    known = journal.evidence.newest(tool.name, release)
    if known is not None and known.payload == digest and store.has(known.envelope):
        return known.envelope
    for path in _inputs(tool).values():
        store.add_file(path)
    log = f"{ORIGIN}{journal.identity.introduce().id}"
    bill = store.add_bytes(bill_of(record, store), f"{tool.name}_{release}{SUFFIX}")
    signed_by = {"toolsync": _own_version(), "log": log}
    said = payload(statement({**record, "sbom": dump(bill), "signed_by": signed_by}))
    signed = _signed(config.state, workshop, key(), said)
    blob = store.add_bytes(signed, f"{tool.name}_{release}.intoto.json")
    journal.evidence.keep(tool.name, release, blob, digest)
    return blob


def bill_of(record: Record, store: Store) -> bytes:
    """Return the bill of materials of a record, see `sbom.sbom`."""
    kept = ((record.get("license") or {}).get("judgment") or {}).get("kept")
    blob = load(Blob, kept) if kept else None
    here = blob is not None and store.has(blob)
    return sbom(record, from_json(store.path(blob).read_bytes()) if blob and here else None)


def newest_bill(journal: Journal, tool: Tool, release: str, store: Store) -> bytes:
    """Return the bill of materials that was signed last with a release, else one of what is known.

    Without a ``release`` that of the newest one with signed evidence. Raises UsageError for none.
    """
    signed = journal.evidence.of(tool.name)
    if not release and not signed:
        raise UsageError(
            f"no release of {tool.name} has signed evidence yet",
            resolution=f"Name a version: see toolsync log {tool.name}.",
        )
    release = release or max(signed, key=upstream_key)
    bill = signed_bill(store, signed[release]) if release in signed else None
    if bill is not None and store.has(bill):
        return store.path(bill).read_bytes()
    return bill_of(gather(journal, tool, release), store)


def signed_bill(store: Store, envelope: Blob) -> Blob | None:
    """Return the bill of materials that evidence names, None for evidence from before.

    Raises Unverified for what is no evidence.
    """
    if not store.has(envelope):
        return None
    said = read_json(read_envelope(store.path(envelope).read_bytes()).payload, "payload")
    bill = said["predicate"].get("sbom")
    return load(Blob, bill) if bill else None


def _signed(state: Path, workshop: Workshop, fingerprint: str, said: bytes) -> bytes:
    home = SigningHome(state / "gnupg")
    signer = Signer(home, key=fingerprint)
    with workshop.folder("evidence") as folder, signer.opened() as env:
        path = folder / "statement"
        path.write_bytes(pae(said))
        signature = signer.detach_sign(path, env)
    return sealed(Envelope(payload=said, signature=signature, keyid=fingerprint))


def _policy(tool: Tool, release: str, gates: Sequence[str]) -> dict[str, object]:
    """Return by what the release was judged, as far as its definition says: to judge it again."""
    proof = dump(tool.verify) | {
        "pins": {version: pin for version, pin in tool.verify.pins.items() if version == release}
    }
    rules = tool.watch.mangle if BINDING.name in gates else ()
    return {
        "source": tool.source,
        "verify": proof,
        "license": dump(tool.license),
        "compat": dump(tool.compat),
        **({"own": dict(tool.own)} if tool.own else {}),
        **({"mangle": list(rules)} if rules else {}),
        **({"gates": more} if (more := [gate for gate in gates if gate not in GATES]) else {}),
        "files": [
            {"path": name, "sha256": digest, "size": size}
            for name, path in _inputs(tool).items()
            for digest, size in [digest_of(path)]
        ],
    }


def _inputs(tool: Tool) -> dict[str, Path]:
    """Return the files of the definition that verifying and unpacking depend on."""
    found = {path.relative_to(tool.folder).as_posix(): path for path in tool.trust}
    copyright_file = tool.debian / "copyright"
    if copyright_file.is_file():
        found["debian/copyright"] = copyright_file
    return found


def _relevant(decided: Sequence[Decision], release: str, record: dict[str, Any]) -> list[Decision]:
    """Return the decisions over a release, and earlier ones over terms that it carries."""
    said = [part.get("judgment") or {} for part in record.values() if isinstance(part, dict)]
    carries = {digest for judgment in said for digest in judgment.get("carries", ())}
    return [d for d in decided if d.version == release or carries.intersection(d.carries)]


def _own_version() -> str:
    try:
        return version("toolsync")
    except PackageNotFoundError:
        return "unknown"
