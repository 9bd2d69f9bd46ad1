"""Look at OpenPGP data before gpg does: texts in odd forms, packets, and what gpg cannot read.

GnuPG of Debian 12 knows neither version 6 nor Ed448 and passes over them in silence, takes no
armor in UTF-16 or behind a byte order mark or blanks, and stops at the first bad signature of
several. Nothing is judged here: that stays with gpgv. Formats: RFC 9580, sections 4 to 6.
"""

from __future__ import annotations

import base64
import binascii
import codecs
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_ARMOR = re.compile(
    rb"^-----BEGIN PGP [A-Z ]+-----[^\n]*\n(?:[A-Za-z]+: [^\n]*\n)*\s*([A-Za-z0-9+/=\s]*)",
    re.MULTILINE,
)
SIGNATURE, SECRET_KEY, PUBLIC_KEY = 2, 5, 6
"""Tags of packets (RFC 9580, section 5)."""
_PARTIAL = range(224, 255)
_ALGORITHMS: Mapping[int, str] = {25: "X25519", 26: "X448", 27: "Ed25519", 28: "Ed448"}
"""Public-key algorithms of RFC 9580, section 9.1, that came after GnuPG 2.2 and 2.4."""
_ED448 = bytes.fromhex("2b6571")
"""The curve's object identifier, as GnuPG 2.3 writes it."""


@dataclass(frozen=True, slots=True)
class Packet:
    """One packet."""

    tag: int
    body: bytes
    whole: bytes
    """With its header."""


def plain_armor(content: bytes) -> bytes:
    """Return armored data as gpg reads it: in UTF-8 without a mark, no blanks before the lines.

    Blanks and line ends mean nothing in armor (RFC 9580, section 6). Other data stays as it is.
    """
    text = content
    if content.startswith(_UTF16):
        text = content.decode("utf-16", "replace").encode()
    text = text.removeprefix(codecs.BOM_UTF8)
    if not re.search(rb"^[ \t]*-----BEGIN PGP ", text.replace(b"\r", b"\n"), re.MULTILINE):
        return content
    text = text.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    return _named(re.sub(rb"^[ \t]+", b"", text, flags=re.MULTILINE))


def _named(armor: bytes) -> bytes:
    """Return an armor named after what it holds, which ``gpg --enarmor`` calls ARMORED FILE."""
    if b"-----BEGIN PGP ARMORED FILE-----" not in armor:
        return armor
    held = next(iter(packets(armor)), None)
    name = {PUBLIC_KEY: b"PUBLIC KEY BLOCK", SIGNATURE: b"SIGNATURE"}.get(held.tag if held else 0)
    return armor.replace(b" PGP ARMORED FILE-----", b" PGP " + name + b"-----") if name else armor


def packets(content: bytes) -> tuple[Packet, ...]:
    """Return the packets of a binary or armored file, up to the first that cannot be told."""
    armor = _ARMOR.search(content)
    if armor is not None:
        try:
            base = re.sub(rb"\n=[A-Za-z0-9+/]{4}\s*\Z", b"", armor[1].rstrip())
            content = base64.b64decode(re.sub(rb"\s", b"", base))
        except binascii.Error:
            return ()
    return tuple(_packets(content))


def _packets(data: bytes) -> Iterator[Packet]:
    at = 0
    while at + 1 < len(data) and data[at] & 0x80:
        head = data[at : at + 6]
        new = bool(head[0] & 0x40)
        tag, size, start = _new(head) if new else _old(head)
        if size < 0 or at + start + size > len(data):
            return
        end = at + start + size
        yield Packet(tag, data[at + start : end], data[at:end])
        at = end


def _new(head: bytes) -> tuple[int, int, int]:
    """Return tag, size (-1 where it is not told) and where the body starts."""
    tag, first = head[0] & 0x3F, head[1]
    if first < 192:
        return tag, first, 2
    if first < 224:
        return tag, ((first - 192) << 8) + int.from_bytes(head[2:3], "big") + 192, 3
    return tag, -1 if first in _PARTIAL else int.from_bytes(head[2:6], "big"), 6


def _old(head: bytes) -> tuple[int, int, int]:
    tag, width = (head[0] >> 2) & 0x0F, 1 << (head[0] & 3)
    return tag, -1 if width == 8 else int.from_bytes(head[1 : 1 + width], "big"), 1 + width


def unreadable(content: bytes, kind: int) -> str:
    """Return what of a file's keys or signatures gpg may not know, as the end of "it holds …".

    ``kind`` is SIGNATURE or PUBLIC_KEY; empty where it is nothing out of the ordinary.
    """
    what = "signature" if kind == SIGNATURE else "key"
    for packet in packets(plain_armor(content)):
        if packet.tag != kind or len(packet.body) < 6:
            continue
        version = packet.body[0]
        number = packet.body[2] if kind == SIGNATURE else packet.body[5]
        name = _ALGORITHMS.get(number, "")
        if kind == PUBLIC_KEY and _ED448 in packet.body[:16]:
            name = "Ed448"
        of = f" of the algorithm {name}" if name else ""
        if version > 4:
            told = " (RFC 9580)" if version == 6 else ""
            return f"a {what} of OpenPGP version {version}{told}{of}"
        if name:
            return f"a {what}{of}"
    return ""
