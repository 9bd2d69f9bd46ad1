"""Read what gpgv says on its status channel: the only words of gpg that count here.

The exit status counts for nothing: gpg ends with 0 after a good signature by an expired or
revoked key, and with 2 after a good one that stands beside one by a stranger. The rules
are those of GnuPG's doc/DETAILS: each signature opens with NEWSIG and has exactly one result.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from typing import Literal

Status = Literal[
    "good",
    "bad",
    "expired-signature",
    "expired-key",
    "revoked-key",
    "unknown-key",
    "error",
]

WEAK = frozenset({"MD5", "SHA1", "RIPEMD160"})
"""Hashes under which two files with one signature can be made."""

_HASHES: Mapping[str, str] = {
    "1": "MD5",
    "2": "SHA1",
    "3": "RIPEMD160",
    "8": "SHA256",
    "9": "SHA384",
    "10": "SHA512",
    "11": "SHA224",
    "12": "SHA3-256",
    "14": "SHA3-512",
}
"""RFC 9580, section 9.5."""

_RESULTS: Mapping[str, Status] = {
    "GOODSIG": "good",
    "EXPSIG": "expired-signature",
    "EXPKEYSIG": "expired-key",
    "REVKEYSIG": "revoked-key",
    "BADSIG": "bad",
    "ERRSIG": "error",
}

_PREFIX = "[GNUPG:] "
_NO_PUBLIC_KEY = "9"


@dataclass(frozen=True, slots=True, kw_only=True)
class Signature:
    """One signature as gpgv judged it; whether its key is wanted is for others to say."""

    status: Status
    fingerprint: str = ""
    """The key that signed, often a subkey: in full, or the 16-digit key id of a stranger
    whose signature tells no more."""
    primary: str = ""
    """The full fingerprint of the primary key; empty where gpgv could not tell."""
    created: datetime | None = None
    """When it says it was made (UTC); proved only when the status is not bad or unknown."""
    expires: datetime | None = None
    """When the signature itself stops counting (UTC)."""
    hash: str = ""
    note: str = ""
    """Why it is an error, as the end of a sentence that begins "the signature …"."""

    @property
    def weak(self) -> bool:
        """Whether it rests on a hash that can be forged."""
        return self.hash in WEAK


def parse_status(text: str, *, inline: bool) -> tuple[Signature, ...]:
    """Return every signature in the status lines of one gpgv run, at least one.

    ``inline`` says that the file carried its text; a detached signature that brings a text of
    its own is an error, because gpgv may then have judged that text and not our file.
    """
    lines = [line[len(_PREFIX) :].split() for line in text.splitlines() if _is_status(line)]
    words = [line[0] for line in lines]
    texts = words.count("PLAINTEXT")
    if not inline and texts:
        return (broken("brings a text of its own, so it proves nothing about this file"),)
    if inline and texts > 1:
        return (broken("stands over more than one text"),)
    found = tuple(_signature(group) for group in _groups(lines))
    return found or (broken("holds no OpenPGP signature that can be read"),)


def broken(note: str) -> Signature:
    """Return a signature that is none, with the reason."""
    return Signature(status="error", note=note)


def moment(seconds: str) -> datetime | None:
    """Return a time of gpg's (seconds since 1970 or ISO 8601 basic), None for "never"."""
    if "T" in seconds:
        return datetime.strptime(seconds, "%Y%m%dT%H%M%S").replace(tzinfo=UTC)
    return datetime.fromtimestamp(int(seconds), UTC) if seconds.strip("0") else None


def _is_status(line: str) -> bool:
    return line.startswith(_PREFIX) and bool(line[len(_PREFIX) :].strip())


def _groups(lines: Sequence[list[str]]) -> Iterator[list[list[str]]]:
    """Yield the lines of each signature, from its NEWSIG to the next."""
    starts = [index for index, line in enumerate(lines) if line[0] == "NEWSIG"]
    for start, end in pairwise([*starts, len(lines)]):
        yield list(lines[start:end])


def _signature(lines: Sequence[list[str]]) -> Signature:
    results = [line for line in lines if line[0] in _RESULTS]
    if len(results) != 1:
        return broken(f"got {len(results)} results from gpgv where one is wanted")
    word, rest = results[0][0], results[0][1:]
    if word == "ERRSIG":
        return _unchecked(rest)
    if word == "BADSIG":
        considered = [line[1] for line in lines if line[0] == "KEY_CONSIDERED"]
        return Signature(status="bad", fingerprint=rest[0], primary=(considered or [""])[-1])
    return _valid(_RESULTS[word], rest[0], [line[1:] for line in lines if line[0] == "VALIDSIG"])


def _unchecked(words: Sequence[str]) -> Signature:
    """Read ERRSIG: keyid, key algorithm, hash, class, time, reason and perhaps fingerprint."""
    key, _, algorithm, _, time, reason, *more = words
    full = more[0] if more and more[0] != "-" else key
    name = _HASHES.get(algorithm, f"hash {algorithm}")
    stranger = reason == _NO_PUBLIC_KEY
    return Signature(
        status="unknown-key" if stranger else "error",
        fingerprint=full,
        created=moment(time),
        hash=name,
        note="" if stranger else f"cannot be checked (gpgv's reason {reason}, hash {name})",
    )


def _valid(status: Status, key: str, proofs: Sequence[list[str]]) -> Signature:
    """Read VALIDSIG, without which no result but a bad one counts."""
    if len(proofs) != 1 or len(proofs[0]) < 10 or not proofs[0][0].endswith(key):
        return broken("was called good by gpgv without the key's full fingerprint")
    fingerprint, _, created, expires, _, _, _, algorithm, kind, primary = proofs[0][:10]
    name = _HASHES.get(algorithm, f"hash {algorithm}")
    note = ""
    if kind not in ("00", "01"):
        note = f"is of class {kind}, which is no signature over a document"
    elif status == "good" and (name in WEAK or algorithm not in _HASHES):
        note = f"rests on {name}, a hash that can be forged"
    return Signature(
        status="error" if note else status,
        fingerprint=fingerprint,
        primary=primary,
        created=moment(created),
        expires=moment(expires),
        hash=name,
        note=note,
    )
