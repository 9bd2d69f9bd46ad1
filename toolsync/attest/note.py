"""The log's head as a checkpoint: a signed note (C2SP signed-note, tlog-checkpoint).

The text is origin, size and root of the tree. Each signature line is by one key of the archive's:
the note's type 0xff with the word ``openpgp``, so that its key id is the begin of
SHA-256(origin, newline, 0xff, ``openpgp``, the primary key's fingerprint), and what follows that
id is a detached OpenPGP signature over the text. docs/adr/0031 says why.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from toolsync.model.errors import Unverified
from toolsync.system.gpg import check_detached, inspect_keys

ORIGIN = "launchpad.net/toolsync/log/"
"""How the origin of every log begins; the journal's id follows."""
MOST = 256 * 1024
"""Bytes of a file with a checkpoint in it, such as a mail."""

_HASH = r"[A-Za-z0-9+/]{43}="
_NOTE = re.compile(
    rf"^({re.escape(ORIGIN)}\S+)\n(0|[1-9][0-9]{{0,17}})\n({_HASH})\n\n"
    r"((?:— \S+ [A-Za-z0-9+/]+=*\n?)+)",
    re.MULTILINE,
)
_PROOF = re.compile(
    r"c2sp\.org/tlog-proof@v1\nextra ([A-Za-z0-9+/]+=*)\nindex (0|[1-9][0-9]{0,17})\n"
    rf"((?:{_HASH}\n)*)\n(?={ORIGIN})"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """What a log's head says."""

    origin: str
    size: int
    """Of the tree: how many leaves."""
    root: bytes

    @property
    def text(self) -> bytes:
        """What is signed."""
        root = base64.b64encode(self.root).decode()
        return f"{self.origin}\n{self.size}\n{root}\n".encode()


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """A checkpoint with its signatures, which nobody judged yet."""

    checkpoint: Checkpoint
    signatures: tuple[tuple[bytes, bytes], ...]
    """Of the lines that bear the origin's name: key id and signature."""
    data: bytes
    """The note itself, byte for byte."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """That a leaf is in a log, with the head that it is in (C2SP tlog-proof)."""

    index: int
    entry: bytes
    """What the leaf hashes."""
    hashes: tuple[bytes, ...]
    note: Note


def key_id(origin: str, fingerprint: str) -> bytes:
    """Return by what a note's signature names its key."""
    head = f"{origin}\n".encode() + b"\xff" + b"openpgp"
    return hashlib.sha256(head + bytes.fromhex(fingerprint)).digest()[:4]


def sealed(checkpoint: Checkpoint, signatures: Mapping[str, bytes]) -> bytes:
    """Return the note of a checkpoint; ``signatures`` are detached ones, by fingerprint."""
    lines = [
        f"— {checkpoint.origin} {_base64(key_id(checkpoint.origin, name) + signature)}\n"
        for name, signature in signatures.items()
    ]
    return checkpoint.text + b"\n" + "".join(lines).encode()


def read_note(data: bytes, place: str) -> Note:
    """Return the one checkpoint in a file; what stands around it, as in a mail, counts for nothing.

    Raises Unverified where there is none, or where there are two.
    """
    text = data[: MOST + 1].decode("utf-8", errors="replace").replace("\r\n", "\n")
    found = {match[0].rstrip("\n") + "\n": match for match in _NOTE.finditer(text)}
    if len(data) > MOST or len(found) != 1:
        raise Unverified(
            f"{place} holds {len(found) or 'no'} checkpoint{'s' if len(found) > 1 else ''} of a"
            " log of toolsync's, wanted one",
            resolution="Take the file log/checkpoint of the archive, or the text from a report.",
        )
    ((whole, match),) = found.items()
    origin, size, root, lines = match.groups()
    rows = [line.split(" ") for line in lines.splitlines()]
    signed = [_bytes(row[2], place) for row in rows if row[1] == origin]
    return Note(
        checkpoint=Checkpoint(origin=origin, size=int(size), root=_bytes(root, place)),
        signatures=tuple((item[:4], item[4:]) for item in signed),
        data=whole.encode(),
    )


def check_note(
    note: Note, keys: Sequence[Path], folder: Path, *, place: str, past: bool = False
) -> str:
    """Return in words who signed; raise Unverified unless one of ``keys`` did, and none did badly.

    ``keys`` are files, ``folder`` is one to work in. Of a ``past`` head it is enough that the key
    was alive when it says that it signed.
    """
    wanted = {key.fingerprint for key in inspect_keys(keys)}
    known = {key_id(note.checkpoint.origin, name): name for name in wanted if len(name) == 40}
    data, file = folder / "checkpoint.text", folder / "checkpoint.sig"
    data.write_bytes(note.checkpoint.text)
    told = []
    for name, signature in ((known.get(id_), rest) for id_, rest in note.signatures):
        if name is None:
            continue  # by the rules of notes: a stranger's says nothing
        file.write_bytes(signature)
        (judged,) = check_detached(file, data, keys)[:1]
        fine = judged.status == "good" or (past and judged.status == "expired-key")
        if not fine or judged.weak or judged.primary != name:
            what = judged.note or f"is no good signature: {judged.status}"
            raise Unverified(f"{place} is signed in the name of {name}, and that {what}")
        told.append(f"{name} on {judged.created}")
    if not told:
        raise Unverified(
            f"{place} is signed by none of {', '.join(sorted(wanted)) or 'no keys'}",
            resolution="Name the archive's public key with --key FILE.",
        )
    return f"signed by {', '.join(told)}"


def written(proof: Proof) -> bytes:
    """Return a proof as the file that it is given away as."""
    hashes = "".join(f"{_base64(item)}\n" for item in proof.hashes)
    extra = _base64(proof.entry)
    head = f"c2sp.org/tlog-proof@v1\nextra {extra}\nindex {proof.index}\n{hashes}\n"
    return head.encode() + proof.note.data


def read_proof(data: bytes, place: str) -> Proof:
    """Return the proof in a file; raises Unverified for none."""
    note = read_note(data, place)
    match = _PROOF.match(data.decode("utf-8", errors="replace"))
    if match is None:
        raise Unverified(f"{place} is no proof of the form c2sp.org/tlog-proof@v1")
    return Proof(
        entry=_bytes(match[1], place),
        index=int(match[2]),
        hashes=tuple(_bytes(line, place) for line in match[3].splitlines()),
        note=note,
    )


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _bytes(text: str, place: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except ValueError as error:
        raise Unverified(f"{place} holds {text[:40]!r}, which is no base64") from error
