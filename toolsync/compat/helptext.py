"""Read options and subcommands out of help texts and man pages."""

from __future__ import annotations

import re
from collections.abc import Iterator

from toolsync.compat.options import MAX_OPTIONS, Option, tamed

TEXT_LIMIT = 2 * 1024 * 1024
"""Characters of a help text that are read; no person reads more."""
MAX_SUBCOMMANDS = 500

_ANYWHERE = re.compile(
    r"(?<![\w/.=:-])(--?\[no-\][A-Za-z][\w-]*|--[A-Za-z][\w.-]*[\w]|--[A-Za-z]|-[A-Za-z?](?![\w-])"
    r"|-[a-z][\w-]+\w(?![\w-]))"
)
_DECLARED = re.compile(r"(?m)^[ \t]{1,12}(-[^\n]{0,200})")
_GROUP = re.compile(r"(?m)^[ \t]*\{([A-Za-z][\w-]*(?:,[A-Za-z][\w-]*)*)\}")
_USAGE_GROUP = re.compile(r"\{([a-z][\w-]*(?:,[a-z][\w-]*)+)\}\s+\.\.\.")
_HEADING = re.compile(
    r"[ \t]*(?:available |common |main |the |other )?(?:sub)?commands?(?: are)?:[ \t]*",
    re.IGNORECASE,
)
_ROW = re.compile(r"[ \t]{1,8}([a-z][\w-]*)(?:,[ \t]*[a-z]\w*)?(?:[ \t]{2,}\S|[ \t]*$)")


def options(text: str) -> Iterator[Option]:
    """Yield the options that a help text names, each spelling once."""
    text = plain(text)
    takes: dict[str, str] = {}
    for match in _DECLARED.finditer(text):
        head = re.split(r"\s{2,}", match[1])[0]
        value = bool(re.search(r"[ =\[](?:<|[A-Z]{2,}|[A-Z]\b|\{)", head))
        for found in _ANYWHERE.findall(head):
            takes.setdefault(found, "value" if value else "")
    seen: dict[str, None] = {}
    for name in _ANYWHERE.findall(text):
        base = name.replace("[no-]", "")
        seen[base] = None
        if base != name:
            seen["--no-" + base.lstrip("-")] = None
        if len(seen) >= MAX_OPTIONS:
            break
    return (Option(name=name, takes=takes.get(name, "")) for name in seen)


def subcommands(text: str) -> tuple[str, ...]:
    """Return the subcommands that a help text lists: ``{a,b}``, or rows below "Commands:"."""
    text = plain(text)
    found: dict[str, None] = {}
    for pattern in (_GROUP, _USAGE_GROUP):
        for match in pattern.finditer(text):
            found |= dict.fromkeys(match[1].split(","))
    found |= dict.fromkeys(_rows(text.split("\n")))
    found.pop("help", None)
    return tuple(found)[:MAX_SUBCOMMANDS]


def _rows(lines: list[str]) -> Iterator[str]:
    """Give the names in the rows below each heading, up to a line that is no row."""
    inside = fresh = False
    for line in lines:
        if _HEADING.fullmatch(line):
            inside = fresh = True
        elif inside and (line or not fresh):
            fresh = False
            row = _ROW.match(line)
            if row:
                yield row[1]
            else:
                inside = bool(line.strip()) and line.startswith((" " * 9, "\t"))


def plain(text: str) -> str:
    """Return text without terminal colors, overstrikes and what is beyond the limit."""
    text = re.sub(r"\x1b\[[0-9;]*[A-Za-z]|.\x08", "", text[:TEXT_LIMIT])
    return tamed(text.replace("\r", ""))


_FONT = re.compile(r"\\f(?:\[\w*\]|\(..|.)|\\[&|/,%]")


def man_page(text: str) -> str:
    """Return the words of a man page's source (man(7) or mdoc(7)) without its markup."""
    lines = []
    for line in tamed(text[:TEXT_LIMIT]).splitlines():
        if line.startswith(('.\\"', "'\\\"", ".Bl", ".Bd")):  # comments, mdoc's own options
            continue
        if re.match(r"\.\s*(Fl|It Fl|Op Fl)\b", line):
            line = re.sub(r"\bFl\s+(-?)(?=\w)", r"-\1", line)
        line = re.sub(r"^\.\s*[A-Za-z]{1,3}\b", " ", line)
        line = _FONT.sub("", line).replace("\\-", "-").replace("\\(hy", "-").replace('"', "")
        lines.append(line)
    return "\n".join(lines)
