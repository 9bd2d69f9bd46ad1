"""Tell a digest as upstreams write it: hex digits, bare or after the algorithm's name."""

from __future__ import annotations

import re

SIZES = {32: "md5", 40: "sha1", 56: "sha224", 64: "sha256", 96: "sha384", 128: "sha512"}
"""The algorithm that a number of hex digits means where no other is named."""
HEX = r"([0-9A-Fa-f]{32,128})"
LABEL = r"(?:[Mm][Dd]5|[Ss][Hh][Aa]-?(?:2-)?(?:1|224|256|384|512))"
_DIGEST = re.compile(rf"(?:({LABEL})[ \t:=-]+)?{HEX}")
_OTHERS = re.compile(
    r"sha-?3|shake|blake|b[23]|rmd|ripemd|whirlpool|tiger|sm3|crc|xxh|k12", re.IGNORECASE
)
"""Families whose digests are as long as those that are read."""
_LINK = re.compile(r"\[([^\]]*)\]\([^)]*\)")
_QUOTES = ("**", "``", "`", '"', "'")


def as_digest(text: str) -> str:
    """Return the digest that a text is, in lower case, empty where it is none."""
    found = _DIGEST.fullmatch(text)
    if found is None or (found[1] and not algorithm_of(found[1], found[2])):
        return ""
    return found[2].lower() if len(found[2]) in SIZES else ""


def algorithm_of(label: str, digest: str) -> str:
    """Return a digest's algorithm, empty where its label or its length is another's."""
    by_size = SIZES.get(len(digest), "")
    if re.fullmatch(LABEL, label):
        return by_size if plain(label) == by_size else ""
    return "" if _OTHERS.match(label) else by_size


def plain(label: str) -> str:
    """Return an algorithm's name as it is written here."""
    return label.lower().replace("sha2-", "sha").replace("sha-", "sha")


def unquoted(text: str) -> str:
    """Return a cell or a name without the marks around it that say how it is to be shown."""
    text = text.strip(" \t")
    if link := _LINK.fullmatch(text):
        text = link[1]
    for quote in _QUOTES:
        if len(text) > 2 * len(quote) and text.startswith(quote) and text.endswith(quote):
            return text[len(quote) : -len(quote)]
    return text
