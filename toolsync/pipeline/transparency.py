"""Publish the log of what was published: a signed head that only ever grows.

The journal has the leaves; the archive's folder ``log`` has what others need to check them:
evidence, entries, hashes and, last of all, the head. Killed in between, the next run goes on: the
same leaves come to the same files. A journal that does not begin with the leaves of the
head that is served was rolled back or exchanged, and is refused.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from toolsync.attest.logged import CHECKPOINT, entry_of, evidence_name
from toolsync.attest.merkle import inclusion_proof, leaf_hash
from toolsync.attest.note import Checkpoint, Note, Proof, key_id, sealed
from toolsync.attest.tiles import tiles
from toolsync.model.values import Blob
from toolsync.pipeline.archivekey import archive_keys
from toolsync.pipeline.context import Context
from toolsync.pipeline.loghead import FOLDER, head_of, require_logged, served_head
from toolsync.system.gpg import SigningHome
from toolsync.system.lock import archive_held
from toolsync.system.signing import Signer
from toolsync.system.store import digest_of, replace_file


def publish_log(context: Context, *, deep: bool = False) -> tuple[str, ...]:
    """Bring what is served of the log to what the journal has; return the files that changed.

    The caller holds the state's lock. With ``deep`` every file is looked at, also where the head
    is as it must be. Raises SetupError where the journal is not the one of the head that is served.
    """
    entries = context.journal.leaves.all()
    promise = archive_keys(context.config, context.workshop, context.clock).promised()
    if promise is None or not entries:
        return ()
    require_logged(context.config, context.journal, strict=True)
    folder = context.config.archive / FOLDER
    head, served = head_of(context.journal, entries), served_head(context.config)
    if served is not None and _is_current(served, head, promise.signing) and not deep:
        return ()
    with archive_held(context.config.archive):
        changed = _write(context, folder, entries)
        if served is None or not _is_current(served, head, promise.signing):
            note = _signed(context, head, promise.signing)
            changed += [CHECKPOINT] if replace_file(folder / CHECKPOINT, note) else []
        _drop_partial(folder)
    return tuple(f"{FOLDER}/{name}" for name in changed)


def proof_of(context: Context, sha256: str) -> Proof | None:
    """Return that signed evidence is in the log whose head is served, None where it is not."""
    note = served_head(context.config)
    if note is None:
        return None
    entries = context.journal.leaves.all()[: note.checkpoint.size]
    for index, entry in enumerate(entries):
        if entry_of(entry, index).sha256 == sha256:
            hashes = inclusion_proof(index, [leaf_hash(item) for item in entries])
            return Proof(index=index, entry=entry, hashes=tuple(hashes), note=note)
    return None


def _is_current(served: Note, head: Checkpoint, signers: tuple[str, ...]) -> bool:
    wanted = {key_id(head.origin, name) for name in signers}
    return served.checkpoint == head and {name for name, _ in served.signatures} == wanted


def _write(context: Context, folder: Path, entries: list[bytes]) -> list[str]:
    """Write all but the head; return the names of what had not been as it must be."""
    changed = []
    for number, content in enumerate(entries):
        entry = entry_of(content, number)
        blob = Blob(name=entry.name, sha256=entry.sha256, size=entry.size)
        path = folder / evidence_name(blob.sha256)
        if not path.is_file() or digest_of(path) != (blob.sha256, blob.size):
            replace_file(path, context.store.path(blob).read_bytes())
            changed.append(evidence_name(blob.sha256))
    return changed + [name for name, data in tiles(entries) if replace_file(folder / name, data)]


def _drop_partial(folder: Path) -> None:
    """Remove the parts of tiles that are full now, as C2SP tlog-tiles allows."""
    for part in (folder / "tile").rglob("*.p"):
        if part.with_suffix("").is_file():
            shutil.rmtree(part)


def _signed(context: Context, head: Checkpoint, signers: tuple[str, ...]) -> bytes:
    home = SigningHome(context.config.state / "gnupg")
    signatures = {}
    with context.workshop.folder("log") as folder, home.opened() as env:
        path = folder / CHECKPOINT
        path.write_bytes(head.text)
        for name in signers:
            signatures[name] = Signer(home, key=name).detach_sign(path, env)
    return sealed(head, signatures)
