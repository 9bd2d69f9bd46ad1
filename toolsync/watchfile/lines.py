"""Read the lines of a debian/watch of versions 1 to 4: continued ones, options, fields.

A line that ends with a backslash goes on in the next one, whose leading blanks count in version
3 and do not in version 4 (uscan(1)). Versions 1 and 2 are those of long ago: version 1 has site,
folder and pattern in fields of their own, and doubles its backslashes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from toolsync.watchfile.faults import fault

_CONTINUED = re.compile(r"(?<!\\)\\$")
_BLANK_BEHIND = re.compile(r"(?<!\\)\\[ \t]+$")
_QUOTED = (
    r'"((?:[^"\\]|\\.|"(?!\s|$))*)"(?:\s+|$)',
    r'"((?:[^"\\]|\\.)*)"\s*',
    r'([\w-]+\s*=\s*)"([^"]*)"(?:\s+|$)',
)
"""How options are quoted in uscan(1)'s examples: the quote that ends them stands before a space."""
_OPTIONS = re.compile(r"opt(?:ion)?s\s*=\s*")
_GROUP = re.compile(r"\(.*\)|@(?:ANY|SEMANTIC|STABLE)_VERSION@")
"""Where an address ends in such a thing, its last part is the pattern."""
_SCHEME = re.compile(r"\w+://")
_OPTION = re.compile(r",|[a-z][a-z-]*=(?!.*://)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line of a watch file, its continuations joined."""

    number: int
    """Of its first part, from 1."""
    options: tuple[tuple[str, str], ...]
    """Names as they are written, and values, in their order."""
    fields: tuple[str, ...]
    """Address, pattern, version; empty for a line of options alone."""


def lines(text: str, version: int) -> Iterator[Line]:
    """Yield the lines; raises SetupError, naming the line, for one that cannot be read."""
    for number, line in _joined(text, version):
        if re.match(r"version\s*=", line):
            continue
        if version == 1:
            yield Line(number=number, options=(), fields=_of_version_1(line, number))
            continue
        options, rest = _options(line, number)
        fields = rest.split(None, 3)
        if fields and _OPTION.match(fields[0]):
            raise fault(
                f"has {fields[0]} where its address belongs, which looks like an option",
                "Put the options into quotes where they have blanks, also those of line ends",
                number,
            )
        if fields:
            head, slash, leaf = fields[0].rpartition("/")
            if slash and _GROUP.search(leaf):
                fields[0:1] = [head + slash, leaf]
        yield Line(number=number, options=options, fields=tuple(fields[:3]))


def _joined(text: str, version: int) -> Iterator[tuple[int, str]]:
    """Yield each line with its number, without comments, continued ones joined."""
    physical = enumerate(text.splitlines(), 1)
    for number, written in physical:
        line = written.lstrip()
        if not line or line.startswith("#"):
            continue
        last = number
        while _CONTINUED.search(line):
            line = line[:-1]
            last, following = next(
                (pair for pair in physical if not pair[1].lstrip().startswith("#")), (last, "")
            )
            line += following.lstrip() if version > 3 else following
        if _BLANK_BEHIND.search(line):
            raise fault(
                "ends with a backslash and a blank, so it does not go on in the next line",
                "Remove the blank behind the backslash.",
                last,
            )
        yield number, line.strip()


def _of_version_1(line: str, number: int) -> tuple[str, ...]:
    """Return address, pattern and version of a line of version 1."""
    site, folder, pattern, version, *_ = [*line.replace("\\\\", "\\").split(None, 4), *[""] * 4]
    if not version or _GROUP.search(site + folder):
        raise fault(
            "is of no version that is named above, and is no line of version 1 (site, folder,"
            " pattern, version)",
            "Begin the file with version=4.",
            number,
        )
    if not _SCHEME.match(site):
        site = f"ftp://{site}"
        if "(" not in pattern:
            pattern = _of_wildcards(pattern)
    return re.sub(r"(?<!:)//+", "/", f"{site}/{folder}/"), pattern, version


def _of_wildcards(pattern: str) -> str:
    """Return an expression for a pattern of ``?`` and ``*``, all between them being the version."""
    found = re.fullmatch(r"([^?*]*)([?*](?:.*[?*])?)([^?*]*)", pattern)
    if found is None:
        return re.escape(pattern)
    inner = re.escape(found[2]).replace(r"\?", ".").replace(r"\*", ".*")
    return f"{re.escape(found[1])}({inner}){re.escape(found[3])}"


def _options(line: str, number: int) -> tuple[tuple[tuple[str, str], ...], str]:
    """Split a line's options off."""
    start = _OPTIONS.match(line)
    if not start:
        return (), line
    rest = line[start.end() :]
    found = next(filter(None, (re.match(form, rest) for form in _QUOTED)), None)
    if rest.startswith('"') and not found:
        raise fault('has opts=" without the quote that ends it', 'End the options with ".', number)
    found = found or re.match(r"(\S*)\s*", rest)
    assert found is not None
    pairs = []
    text = "".join(found.groups()).strip(" \t,")
    for option in re.split(r"(?:,\s*)+(?=[a-z][a-z-]*\s*(?:=|,|$|://))", text):
        key, equals, value = option.partition("=")
        if _SCHEME.match(option):
            raise fault(
                f"has options that run into its address {option}",
                "Put the options into quotes, or a blank before the backslash.",
                number,
            )
        if key.strip():
            pairs.append((key.strip(), value.strip() if equals else "yes"))
    return tuple(pairs), rest[found.end() :].strip()
