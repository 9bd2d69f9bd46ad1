"""Public keys in files: merged into a private keyring, and described.

Each armored block is imported by itself, so a broken one spoils no other, and blocks of one
key are merged: a revocation or a new date counts wherever it stands. Nobody's ~/.gnupg is
ever read.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from pathlib import Path

from toolsync.model.errors import SetupError
from toolsync.system.gpgpackets import PUBLIC_KEY, SECRET_KEY, packets, plain_armor, unreadable
from toolsync.system.gpgstatus import moment
from toolsync.system.run import run

SECONDS = 300
"""What one run of gpg or gpgv may take."""
FLAGS = ("--batch", "--no-tty", "--no-options", "--quiet")
_KEYS_LIMIT = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Subkey:
    """A key below a primary one."""

    fingerprint: str
    expires: datetime | None
    revoked: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyInfo:
    """A public key as it stands in a file."""

    fingerprint: str
    """The primary key's, in full."""
    user_ids: tuple[str, ...]
    created: datetime
    expires: datetime | None
    revoked: bool
    subkeys: tuple[Subkey, ...] = ()
    keygrip: str = ""
    """The name under which gpg-agent would keep its secret half."""

    def end_of(self, fingerprint: str) -> datetime | None:
        """Return when this key, or that subkey of it, stops counting; None for never."""
        ends = [self.expires]
        ends += [subkey.expires for subkey in self.subkeys if subkey.fingerprint == fingerprint]
        return min((end for end in ends if end is not None), default=None)

    def is_revoked(self, fingerprint: str) -> bool:
        """Say whether this key, or that subkey of it, was revoked."""
        return self.revoked or any(
            subkey.revoked for subkey in self.subkeys if subkey.fingerprint == fingerprint
        )

    @property
    def fingerprints(self) -> tuple[str, ...]:
        """The primary key's fingerprint and those of its subkeys."""
        return (self.fingerprint, *(subkey.fingerprint for subkey in self.subkeys))


def inspect_keys(files: Sequence[Path]) -> tuple[KeyInfo, ...]:
    """Return the public keys in armored or binary ``files``, merged, by fingerprint.

    What cannot be read as a key is passed over: compare with what was wanted.
    """
    with merged_keyring(files) as home:
        return listed_keys(home)


def why_unread(files: Sequence[Path]) -> str:
    """Return, for each of ``files`` that gives no key, what it holds; empty where all do."""
    told = [f"{file} {_held(file)}" for file in files if not inspect_keys([file])]
    return "; ".join(told)


_SSH = re.compile(rb"\s*(sk-)?(ssh|ecdsa)-[a-z0-9@.-]+ AAAA")


def _held(file: Path) -> str:
    content = plain_armor(file.read_bytes())
    if odd := unreadable(content, PUBLIC_KEY):
        return f"holds {odd}, which this machine's gpg cannot read"
    if not content.strip():
        return "is an empty file"
    if _SSH.match(content):
        return "holds an SSH key and no OpenPGP key"
    if re.match(rb"\s*<", content):
        return "is an HTML or XML page and no key"
    if any(packet.tag == SECRET_KEY for packet in packets(content)):
        return "holds a secret key; wanted: the public one (gpg --export --armor)"
    if b"-----BEGIN PGP PUBLIC KEY BLOCK-----" not in content:
        return "holds no OpenPGP key"
    if b"-----END PGP PUBLIC KEY BLOCK-----" not in content:
        return "holds a key that is cut off: it begins but does not end"
    if any(packet.tag == PUBLIC_KEY for packet in packets(content)):
        return "holds a key that gpg does not take: it has no user id, or no signature over one"
    return "holds a key whose armor is damaged"


@contextmanager
def merged_keyring(files: Sequence[Path]) -> Iterator[Path]:
    """Yield a temporary home whose keyring holds exactly the public keys in ``files``."""
    with tempfile.TemporaryDirectory(prefix="toolsync-gpg-") as folder:
        home = Path(folder)
        blocks: list[Path] = []
        for file in files:
            if file.stat().st_size > _KEYS_LIMIT:
                raise SetupError(f"{file} has more than {_KEYS_LIMIT} bytes, wanted: armored keys")
            content = plain_armor(file.read_bytes())
            for block in armored_blocks(content, "PUBLIC KEY BLOCK") or [content]:
                blocks.append(home / f"block-{len(blocks)}")
                blocks[-1].write_bytes(block)
        options = ("--no-autostart", "--trust-model", "always", "--no-auto-check-trustdb")
        run(
            *("gpg", "--homedir", home, *FLAGS, *options, "--import", "--"),
            *blocks,
            timeout=SECONDS,
            ok=(0, 1, 2),  # 2 where a block is broken: the keyring's content is what counts
        )
        yield home


def listed_keys(home: Path) -> tuple[KeyInfo, ...]:
    """Return the public keys in a GnuPG home, by fingerprint; no agent is started."""
    options = ("--no-autostart", "--trust-model", "always", "--no-auto-check-trustdb")
    show = ("--with-colons", "--with-keygrip", "--fixed-list-mode", "--list-keys")
    done = run("gpg", "--homedir", home, *FLAGS, *options, *show, timeout=SECONDS, ok=(0, 2))
    records = [line.split(":") for line in done.out.splitlines()]
    starts = [index for index, record in enumerate(records) if record[0] == "pub"]
    keys = [_key(records[start:end]) for start, end in pairwise([*starts, len(records)])]
    return tuple(sorted(keys, key=lambda key: key.fingerprint))


def _key(records: Sequence[list[str]]) -> KeyInfo:
    """Read one key's colon records (GnuPG's doc/DETAILS, "Format of the colon listings")."""
    heads = [record for record in records if record[0] in ("pub", "sub")]
    prints = [record[9] for record in records if record[0] == "fpr"]
    subkeys = [
        Subkey(fingerprint=name, expires=moment(head[6]), revoked=head[1] == "r")
        for head, name in zip(heads[1:], prints[1:], strict=True)
    ]
    created = moment(heads[0][5])
    assert created is not None
    return KeyInfo(
        fingerprint=prints[0],
        user_ids=tuple(_unescaped(record[9]) for record in records if record[0] == "uid"),
        created=created,
        expires=moment(heads[0][6]),
        revoked=heads[0][1] == "r",
        subkeys=tuple(subkeys),
        keygrip=next((record[9] for record in records if record[0] == "grp"), ""),
    )


def _unescaped(text: str) -> str:
    plain = re.sub(r"\\x([0-9a-f]{2})", lambda match: chr(int(match[1], 16)), text)
    return "".join(letter for letter in plain if letter.isprintable())[:200]


def armored_blocks(content: bytes, kind: str) -> list[bytes]:
    """Return the armored blocks of one kind; one that does not end stops where the next begins."""
    name = kind.encode()
    begin, end = rb"^-----BEGIN PGP " + name + rb"-----", rb"^-----END PGP " + name + rb"-----"
    pattern = begin + rb".*?(?:" + end + rb"|(?=^-----BEGIN PGP )|\Z)"
    return [match[0] + b"\n" for match in re.finditer(pattern, content, re.MULTILINE | re.DOTALL)]
