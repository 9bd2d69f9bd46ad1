"""Make all checks of a file of signed evidence, and collect the files that an auditor needs."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from toolsync.attest.again import run_again
from toolsync.attest.check import (
    BAD,
    ELSEWHERE,
    GOOD,
    Check,
    Find,
    blobs,
    check_envelope,
    check_files,
    check_statement,
)
from toolsync.attest.envelope import MOST
from toolsync.attest.inclusion import Prove, check_logged
from toolsync.config.settings import Config
from toolsync.model.errors import UsageError
from toolsync.model.values import Blob
from toolsync.system.gpg import SigningHome
from toolsync.system.promise import NAME, read_promise
from toolsync.system.store import Store, digest_of, full_disk_is_told
from toolsync.system.work import Workshop

_DIGEST = re.compile(r"[0-9a-f]{64}")
KEY = "archive-key.asc"
"""The name under which an auditor takes the archive's key away."""


def audit(
    file: Path,
    *,
    keys: Sequence[Path],
    find: Find,
    prove: Prove,
    config: Config,
    workshop: Workshop,
) -> tuple[list[Check], Mapping[str, object]]:
    """Return every check that can be made of ``file``, and the record that it holds.

    ``prove`` gives, for its sha256, what proves that it is in the log of publications. What is not
    signed by one of ``keys`` is not looked into any further; what does not agree
    with itself is not done again.
    """
    if file.stat().st_size > MOST:
        size = file.stat().st_size
        return [Check(place="envelope", verdict=BAD, sentence=f"has {size} bytes")], {}
    with workshop.folder("audit") as folder:
        data = file.read_bytes()
        checks, said = check_envelope(data, keys, folder)
        if not said:
            return checks, {}
        record = said["predicate"]
        checks.append(check_logged(hashlib.sha256(data).hexdigest(), record, prove, keys, folder))
    checks += check_statement(said)
    checks += check_files(record, find)
    if all(check.verdict != BAD for check in checks):
        checks += run_again(record, find, config=config, workshop=workshop)
    return checks, record


def passes(checks: Sequence[Check]) -> bool:
    """Say whether everything that was ever here is at hand, and good."""
    return all(check.verdict in (GOOD, ELSEWHERE) for check in checks)


def in_store(store: Store) -> Find:
    """Return a function that finds files in the store."""

    def find(blob: Blob) -> Path | None:
        path = store.where(blob)  # an audit digests what it is given
        return path if _DIGEST.fullmatch(blob.sha256) and path.is_file() else None

    return find


def in_folder(folder: Path) -> Find:
    """Return a function that finds files below a folder: by name, else by content.

    The name goes first, since an auditor means the file that has it.
    """
    by_digest: dict[str, Path] = {}
    by_name: dict[str, Path] = {}
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not path.is_symlink():
            by_digest.setdefault(digest_of(path)[0], path)
            by_name.setdefault(path.name, path)
    if not by_digest:
        raise UsageError(
            f"{folder} holds no files",
            resolution="Name the folder that toolsync evidence TOOL VERSION --output filled.",
        )

    def find(blob: Blob) -> Path | None:
        named = by_name.get(_other_name(blob)) or by_name.get(safe_name(blob))
        return named or by_digest.get(blob.sha256)

    return find


def safe_name(blob: Blob) -> str:
    """Return a file name for a blob: its own, with nothing that leads elsewhere."""
    return blob.name.replace("/", "_").lstrip(".") or blob.sha256


def _other_name(blob: Blob) -> str:
    """Return a name for a file whose own name another one has."""
    return f"{blob.sha256[:12]}-{safe_name(blob)}"


def take_away(record: Mapping[str, object], store: Store, folder: Path) -> Iterator[str]:
    """Put every file that a record names and the store has into ``folder``; give their names."""
    taken: dict[str, str] = {}
    for blob in dict.fromkeys(blob for _, blob in blobs(record)):
        name = safe_name(blob)
        if taken.setdefault(name, blob.sha256) != blob.sha256:
            name = _other_name(blob)
        if store.has(blob):
            store.deliver(blob, folder, name)
            yield name


def archive_key(config: Config, folder: Path) -> Path | None:
    """Put the archive's public keys into ``folder``; return their path, None before there is one.

    All that were ever promised and are here: evidence outlives the key that signed it.
    """
    home = SigningHome(config.state / "gnupg")
    promise = read_promise(config.state / NAME)
    known = promise.known if promise else {home.usable_key()} - {""}
    here = sorted(known & {key.fingerprint for key in home.secrets()})
    if not here:
        return None
    path = folder / KEY
    with full_disk_is_told(folder):
        folder.mkdir(parents=True, exist_ok=True)
        path.write_text(home.public_key(*here), encoding="ascii")
    return path
