"""Read the lines of checksum files, in the forms in which upstreams write them.

GNU (``HEX  name``, ``HEX *name``), BSD (``SHA256 (name) = HEX``), the other way round
(``name HEX``, ``name: HEX``, as gpg --print-mds does over several lines), with a size between as
Debian has it, PowerShell's Get-FileHash, Windows's certutil, a name with its digests in the lines
below it, tables and JSON (`sumtables`), and a lone digest; in UTF-8, UTF-16 or UTF-32. A form
decides only which digest belongs to which name: what is read wrongly does not match the file.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from toolsync.verify.digests import HEX, LABEL, SIZES, algorithm_of, plain, unquoted
from toolsync.verify.sumtables import from_json, rows

_LABEL = rf"(?:{LABEL}[ \t:=]+)"
_GNU = re.compile(rf"(\\?){HEX} [ *]?(\S.*)")
_SIZED = re.compile(rf"{HEX} (\d+) +(\S+)")
"""As in Checksums-Sha256 of a .dsc."""
_BSD = re.compile(rf"(\\?)([A-Za-z0-9-]{{3,12}}) ?\((.+)\) ?= ?{HEX}")
_BARE = re.compile(rf"{_LABEL}?[\"'`]?{HEX}[\"'`]?(?: [ *]?-)?")
_TABLE = re.compile(rf"{_LABEL}?{HEX}[ \t]+\*?(\S.*)")
_REVERSED = re.compile(rf"[ \t:=]{_LABEL}?[\"'`]?{_LABEL}?{HEX}[\"'`]?,?\Z")
_FRONT = re.compile(rf"{_LABEL}?(\S.*)")
_FRONT_SIZED = re.compile(r"(\S+)[ \t]+\d+")
_LONGEST_HEADING = 512
_TAIL = 160
"""Characters at a line's end among which a digest and its label are looked for."""
_GROUPS = re.compile(
    r"(\S.*?): *(?:([A-Z0-9-]{3,10}) = )?((?:[0-9A-Fa-f]{2,8} +){3,63}[0-9A-Fa-f]{2,8})"
)
_MARK = re.compile(r"[ \t]*+(?:[-*+] +(?=\S++[ \t]|[^\s:=]++[:=]))?")
"""What stands before a line that is indented, or an entry of a list."""
_HEADING = re.compile(r"[#>*+ \t-]*+([^\s#>*+-][^\s]*?\.[^\s]*?):?")
"""A name that stands alone, above its digests."""
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
    """Return a list's text: UTF-16 or UTF-32 where it says or shows so, else UTF-8."""
    if content.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)):
        return content.decode("utf-32", "replace")
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return content.decode("utf-16", "replace")
    # Half of the bytes of ASCII's characters are nulls then, and digests are of those.
    even, odd = content[:4096:2].count(0), content[1:4096:2].count(0)
    if max(even, odd) > min(len(content), 4096) // 8:
        return content.decode("utf-16-le" if odd > even else "utf-16-be", "replace")
    return content.decode("utf-8", "replace")


def parse_sums(text: str) -> tuple[Sum, ...]:
    """Return the digests in a checksum file; lines of no known form are passed over."""
    found = [_sum(*row) for row in from_json(text.removeprefix("\ufeff"))]
    if found:
        return tuple(found)
    # str.splitlines would also split at \v, \f, \x1c to \x1e, \x85, U+2028 and U+2029, and
    # rstrip would take them off: a name that holds one would pass for another.
    lines = text.removeprefix("\ufeff").split("\n")
    lines = [line.removesuffix("\r").rstrip(" \t") for line in lines]
    said = [line for line in lines if line and not line.startswith(("#", ";"))]
    bare = _BARE.fullmatch(said[0]) if len(said) == 1 else None
    if bare and len(bare[1]) in SIZES:
        return (_sum("", bare[1]),)
    return tuple(_lines(_joined([line for line in lines if line])))


def _sum(name: str, digest: str) -> Sum:
    name = name.removeprefix("./")
    return Sum(name=name, algorithm=SIZES[len(digest)], digest=digest.lower())


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
    heading = ""
    for line in lines:
        text = _MARK.sub("", line, count=1)
        bare = _BARE.fullmatch(text)
        if bare and heading and len(bare[1]) in SIZES:
            yield _sum(heading, bare[1])
            continue
        above = _HEADING.fullmatch(line[:_LONGEST_HEADING])
        heading = unquoted(above[1]) if above else heading if bare else ""
        if not line.startswith(("#", ";")):
            yield from _of_line(text)


def _of_line(line: str) -> Iterator[Sum]:
    """Yield what a line says by itself."""
    in_table = [_sum(*row) for row in rows(line)]
    if in_table:
        yield from in_table
        return
    escaped, algorithm, name, digest = _parts(line)
    if not name or algorithm != SIZES.get(len(digest)):
        # another family with digests of that length, such as SHA3 or BLAKE2, or no known hash
        return
    if escaped:  # GNU coreutils marks a line whose name has a backslash or newline
        name = re.sub(r"\\([\\nr])", lambda m: {"n": "\n", "r": "\r"}.get(m[1], "\\"), name)
    yield _sum(name, digest)


def _parts(line: str) -> tuple[str, str, str, str]:
    """Return a line's mark of an escaped name, its algorithm, name and digest."""
    if bsd := _BSD.fullmatch(line):
        escaped, label, name, digest = bsd.groups()
        return escaped, plain(label), name, digest
    if sized := _SIZED.fullmatch(line):
        escaped, digest, name = "", sized[1], sized[3]
    elif gnu := _GNU.fullmatch(line):
        escaped, digest, name = gnu.groups()
    elif table := _TABLE.fullmatch(line):
        escaped, digest, name = "", table[1], _DRIVE.sub("", table[2])
    elif groups := _GROUPS.fullmatch(line):
        digest = groups[3].replace(" ", "")
        return "", algorithm_of(groups[2] or "", digest), _CERTUTIL.sub("", groups[1], 1), digest
    elif turned := _REVERSED.search(line[-_TAIL:]):
        escaped, name, digest = "", _front(line[: len(line) - len(turned[0])]), turned[1]
    else:
        return "", "", "", ""
    return escaped, SIZES.get(len(digest), ""), unquoted(name), digest


def _front(text: str) -> str:
    """Return the name that stands before a digest, without a label or the file's size."""
    text = _CERTUTIL.sub("", text.rstrip(" \t:="), count=1)
    name = _FRONT.fullmatch(text)
    text = name[1] if name else text
    sized = _FRONT_SIZED.fullmatch(text)
    return sized[1] if sized else text
