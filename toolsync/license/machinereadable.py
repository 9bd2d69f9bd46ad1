"""Read a machine-readable debian/copyright (DEP-5) that a tree brings, as the text that it is.

It is known only where all of it is: each license that a Files paragraph names has its text there,
and that text is this license or Debian's pointer to it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from toolsync.license import shortnames, spdx
from toolsync.license.identify import identify

_FORMAT = re.compile(r"\s*Format(?:-Specification)?:.*(?:copyright-format|dep-?5)", re.IGNORECASE)
_FIELD = re.compile(r"([A-Za-z][A-Za-z-]*):(.*)")
_FIELDS_WORDS = """
format format-specification upstream-name upstream-contact source files copyright license
comment files-excluded name maintainer debianized-by debianized-date
"""
_FIELDS = frozenset(_FIELDS_WORDS.split())
_RESTRICTS = re.compile(
    r"\b(?:not?|never|only|except|unless|must|shall|restrict\w*|prohibit\w*|forbid\w*|fees?|evil"
    r"|(?:non)?commercial\w*|evaluation|without|consent|proprietary|additional)\b",
    re.IGNORECASE,
)
"""Words for which a comment must be read by a person."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stated:
    """What a debian/copyright says of everything that it tells of."""

    expression: str
    """SPDX; empty where any of it is not known."""
    said: str = ""
    """What was read as a choice though it may mean another thing: names joined by a slash."""


def is_machine_readable(text: str) -> bool:
    """Say whether a text begins as DEP-5 wants it."""
    return bool(_FORMAT.match(text[:2000]))


def stated(text: str, *, work: str = "") -> Stated:
    """Return what a machine-readable debian/copyright states."""
    paragraphs = list(_paragraphs(text))
    if any(set(fields) - _FIELDS for fields in paragraphs):
        return Stated(expression="")
    if any(_RESTRICTS.search(fields.get("comment", "")) for fields in paragraphs):
        return Stated(expression="")
    named: list[tuple[str, str]] = []
    texts: dict[str, str] = {}
    for fields in paragraphs:
        synopsis, _, body = fields.get("license", "").strip().partition("\n")
        if "files" in fields and synopsis:
            named.append((synopsis, body))
        elif body.strip():
            texts[synopsis.lower()] = body
    read = {shortnames.expression(synopsis) for synopsis, _ in named}
    if not read or "" in read:
        return Stated(expression="")
    for synopsis, body in (*((n, b) for n, b in named if b.strip()), *texts.items()):
        if not _is_what_it_says(synopsis, body, work):
            return Stated(expression="")
    lacking = [
        name
        for synopsis, body in named
        if not body.strip()
        for name in _parts(synopsis)
        if name not in texts and synopsis.lower() not in texts
    ]
    if lacking:
        return Stated(expression="")
    whole = sorted(read)
    joined = " AND ".join(f"({one})" if " OR " in one and len(whole) > 1 else one for one in whole)
    slashed = sorted({synopsis for synopsis, _ in named if shortnames.is_slashed(synopsis)})
    return Stated(expression=joined, said="; ".join(slashed))


def _paragraphs(text: str) -> Iterator[dict[str, str]]:
    """Yield the fields of each paragraph; a blank line amid a field's text ends nothing."""
    fields: dict[str, str] = {}
    last, blank = "", False
    for line in text.splitlines():
        found = _FIELD.match(line)
        if not line.strip():
            blank = True
            if last:
                fields[last] += "\n"
        elif found:
            if blank and fields:
                yield fields
                fields = {}
            last, blank = found[1].lower(), False
            fields[last] = fields.get(last, "") + found[2].strip()
        elif last and not line.startswith("#"):
            blank = False
            fields[last] += "\n" + ("" if line.strip() == "." else line.strip())
    if fields:
        yield fields


def _parts(synopsis: str) -> list[str]:
    """Return the names of a synopsis, as standalone License paragraphs have them."""
    return [part for part in re.split(r",? (?:and|or) |\s*[/,|]\s*", synopsis.lower()) if part]


def _is_what_it_says(synopsis: str, body: str, work: str) -> bool:
    """Say whether a license's text is the license by whose name it stands."""
    wanted = {spdx.base(name) for name in spdx.names(shortnames.expression(synopsis))}
    found = {spdx.base(name) for name in spdx.names(identify(body, work=work))}
    return bool(found) and found <= wanted
