"""Read the lines of checksum files, in the forms in which upstreams write them.

GNU (``HEX  name``, ``HEX *name``), BSD (``SHA256 (name) = HEX``), the other way round
(``name HEX``, ``name: HEX``, as gpg --print-md does over several lines), PowerShell's
Get-FileHash, Windows's certutil, and a lone digest; in UTF-8 or UTF-16. A form decides only
which digest belongs to which name: what is read wrongly does not match the file.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

_SIZES = {32: "md5", 40: "sha1", 56: "sha224", 64: "sha256", 96: "sha384", 128: "sha512"}
_HEX = r"([0-9A-Fa-f]{32,128})"
_LABEL = r"(?:(?:[Mm][Dd]5|[Ss][Hh][Aa]-?(?:1|224|256|384|512))[ \t:=]+)"
_GNU = re.compile(rf"(\\?){_HEX} [ *]?(\S.*)")
_BSD = re.compile(rf"(\\?)([A-Za-z0-9-]{{3,12}}) ?\((.+)\) ?= ?{_HEX}")
_BARE = re.compile(rf"{_LABEL}?{_HEX}(?: [ *]?-)?")
_TABLE = re.compile(rf"{_LABEL}?{_HEX}[ \t]+\*?(\S.*)")
_REVERSED = re.compile(rf"[ \t:=]{_LABEL}?{_HEX}\Z")
_TAIL = 160
"""Characters at a line's end among which a digest and its label are looked for."""
_GROUPS = re.compile(r"(\S.*?): *((?:[0-9A-Fa-f]{2,8} +){3,63}[0-9A-Fa-f]{2,8})")
_CERTUTIL = re.compile(r"SHA[0-9]+ hash of (?:file )?")
_MORE = re.compile(r"[0-9A-Fa-f ]{2,1000}")
_DRIVE = re.compile(r"[A-Za-z]:\\(?:[^\\]*\\)*")
"""Where a file lay on its maker's own disk, which says nothing of the server's folders."""
_FIELDS = re.compile(r"(Algorithm|Hash|Path) +: +(\S.*)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sum:
    """One line of a checksum file."""

    name: str
    """Empty where the file holds a digest and no name."""
    algorithm: str
    digest: str
    """Hex digits in lower case."""


def as_text(content: bytes) -> str:
    """Return a list's text, which is UTF-16 where it says or shows so, else UTF-8."""
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return content.decode("utf-16", "replace")
    if content[:1] and content[1:2] == b"\0":
        return content.decode("utf-16-le", "replace")
    if content[:1] == b"\0":
        return content.decode("utf-16-be", "replace")
    return content.decode("utf-8", "replace")


def parse_sums(text: str) -> tuple[Sum, ...]:
    """Return the digests in a checksum file; lines of no known form are passed over."""
    # str.splitlines would also split at \v, \f, \x1c to \x1e, \x85, U+2028 and U+2029, and
    # rstrip would take them off: a name that holds one would pass for another.
    lines = text.removeprefix("\ufeff").split("\n")
    lines = [line.removesuffix("\r").rstrip(" \t") for line in lines]
    lines = [line for line in lines if line and not line.startswith(("#", ";"))]
    bare = _BARE.fullmatch(lines[0]) if len(lines) == 1 else None
    if bare and len(bare[1]) in _SIZES:
        digest = bare[1].lower()
        return (Sum(name="", algorithm=_SIZES[len(digest)], digest=digest),)
    return tuple(_lines(_joined(lines)))


def _joined(lines: Sequence[str]) -> Iterator[str]:
    """Yield lines, those of nothing but a digest's digits joined to the name before them."""
    held, open_ended, path = "", False, dict[str, str]()
    for line in lines:
        if field := _FIELDS.fullmatch(line):  # PowerShell's list: three lines are one file
            path[field[1]] = field[2]
            if field[1] == "Path" and "Hash" in path:
                yield f"{path.pop('Hash')}\t{field[2]}"
            continue
        if open_ended and _MORE.fullmatch(line.strip(" \t")):
            held = f"{held} {line.strip()}"
            continue
        if held:
            yield held
        held, open_ended = line, ":" in line
    if held:
        yield held


def _lines(lines: Iterator[str]) -> Iterator[Sum]:
    for line in lines:
        escaped, algorithm, name, digest = _parts(line)
        if not name or algorithm != _SIZES.get(len(digest)):
            # another family with digests of that length, such as SHA3 or BLAKE2, or no known hash
            continue
        if escaped:  # GNU coreutils marks a line whose name has a backslash or newline
            name = re.sub(r"\\([\\nr])", lambda m: {"n": "\n", "r": "\r"}.get(m[1], "\\"), name)
        yield Sum(name=name.removeprefix("./"), algorithm=algorithm, digest=digest.lower())


def _parts(line: str) -> tuple[str, str, str, str]:
    """Return a line's mark of an escaped name, its algorithm, name and digest."""
    if bsd := _BSD.fullmatch(line):
        escaped, label, name, digest = bsd.groups()
        return escaped, label.lower().replace("sha2-", "sha").replace("sha-", "sha"), name, digest
    if gnu := _GNU.fullmatch(line):
        escaped, digest, name = gnu.groups()
    elif table := _TABLE.fullmatch(line):
        escaped, digest, name = "", table[1], _DRIVE.sub("", table[2])
    elif groups := _GROUPS.fullmatch(line):
        escaped, name, digest = "", groups[1], groups[2].replace(" ", "")
    elif turned := _REVERSED.search(line[-_TAIL:]):
        front = line[: len(line) - len(turned[0])].rstrip(" \t:=")
        escaped, name, digest = "", front, turned[1]
    else:
        return "", "", "", ""
    return escaped, _SIZES.get(len(digest), ""), _CERTUTIL.sub("", name, count=1), digest
