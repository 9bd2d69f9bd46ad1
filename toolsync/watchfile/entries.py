"""The lines or paragraphs of a debian/watch, with defaults and templates filled in, not yet read.

What is not known changes nothing and is told in ``warnings``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from toolsync.watchfile.faults import fault, meant, placed
from toolsync.watchfile.lines import Line, lines
from toolsync.watchfile.templates import expanded
from toolsync.watchfile.words import KNOWN, PARAGRAPH_FIELDS, PATTERNS, PERSISTENT, USUAL, plain


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What one line or paragraph says, before it is read."""

    line: int
    fields: Mapping[str, str]
    """By plain name."""


def paragraphs(text: str, homepage: str, warnings: list[str]) -> Iterator[Entry]:
    """Yield the sources of a file of version 5, with defaults and templates filled in."""
    from debian.deb822 import Deb822

    defaults: dict[str, str] = {}
    for number, (start, part) in enumerate(_parted(text)):
        paragraph = Deb822([line for line in part if not line.startswith("#")])
        places = dict[str, int]()
        for line, name in _fields(start, part):
            if places.setdefault(plain(name), line) != line:
                warnings.append(
                    f"debian/watch line {line}: the field {name} is there already, in line"
                    f" {places[plain(name)]}; the last one counts"
                )
        fields = {plain(key): _unfolded(paragraph[key]) for key in paragraph}
        fields.pop("version", None)
        for key in paragraph:
            if plain(key) not in (*PARAGRAPH_FIELDS, "version"):
                line = places.get(plain(key), start)
                warnings.append(_unknown(f"field {key}", line, meant(plain(key), PARAGRAPH_FIELDS)))
        if "untrackable" in fields:
            raise fault(f"says that it cannot be tracked: {fields['untrackable']}", "", start)
        if not {"source", "template"} & set(fields):
            if number:
                raise fault(f"has a paragraph without Source: {', '.join(fields)}", "Add Source",
                            start)  # fmt: skip
            defaults = fields
            continue
        with placed(start):
            entry = expanded(defaults | fields, homepage)
        schema = entry.pop("versionschema", "") or entry.pop("versionconstraint", "") or "debian"
        named = [entry.pop(name) for name in PATTERNS if name in entry]
        entry.setdefault("matchingpattern", (named or [USUAL])[0])
        yield Entry(line=start, fields=entry | {"schema": schema})


def _parted(text: str) -> Iterator[tuple[int, list[str]]]:
    """Yield the paragraphs' lines without comments, each paragraph with its first line's number."""
    start, part = 0, list[str]()
    for number, line in enumerate([*text.splitlines(), ""], 1):
        if line.strip() and not line.startswith("#"):
            start, part = start if part else number, [*part, line]
        elif part and not line.strip():
            yield start, part
            part = []
        elif part:
            part.append("#")  # keeps the numbers of the lines after it


def _fields(start: int, part: list[str]) -> Iterator[tuple[int, str]]:
    """Yield number and name of each field of a paragraph."""
    for number, line in enumerate(part, start):
        name, colon, _ = line.partition(":")
        if colon and not line[:1].isspace():
            yield number, name


def entries(text: str, version: int, warnings: list[str]) -> Iterator[Entry]:
    """Yield the sources of a file of lines; some options hold for later lines, too."""
    defaults: dict[str, str] = {}
    for line in lines(text, version):
        options = _named(line, warnings)
        defaults |= {key: options[key] for key in PERSISTENT & options.keys()}
        if line.fields:
            url, pattern, schema, *_ = [*line.fields, "", ""]
            own = {"source": url, "matchingpattern": pattern, "schema": schema or "debian"}
            yield Entry(line=line.number, fields=defaults | options | own)
        elif lost := sorted(options.keys() - PERSISTENT):
            warnings.append(
                f"debian/watch line {line.number} has options without an address, which do nothing"
                f" ({', '.join(lost)}): a backslash at its end joins it with the next line"
            )


def _named(line: Line, warnings: list[str]) -> dict[str, str]:
    """Return a line's options by their plain names."""
    found: dict[str, str] = {}
    for key, value in line.options:
        name = plain(key)
        if name == "versionmangle":  # shorthand for both; the last one counts
            found |= {"uversionmangle": value, "dversionmangle": value}
        elif name in KNOWN:
            found[name] = value
        else:
            warnings.append(_unknown(f"option {key}", line.number, meant(name, KNOWN)))
        if name == "pgpsigurlmangle":  # says how signatures are found, whatever was before
            found["pgpmode"] = "mangle"
    return found


def _unknown(what: str, line: int, meant_perhaps: str) -> str:
    return f"debian/watch line {line}: the {what} is not known and does nothing{meant_perhaps}"


def _unfolded(value: str) -> str:
    return " ".join(str(value).split("\n")).strip()
