"""Read checksums from tables and from JSON: CSV, Markdown, what an API or a build tool writes.

Which column is which is told by what stands in it: a digest, a size, an algorithm's name, or else a
name. JSON is walked as a whole: a digest belongs to the key that it stands under, or to the names
that its object, or one around it, gives.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import NamedTuple

from toolsync.verify.digests import LABEL, algorithm_of, as_digest, unquoted

_LONGEST = 4096
"""Characters of a row."""
_RULES = ("|", ";", ",", "\t", " -> ", " => ")
_NO_NAME = re.compile(rf"[\d\s.,:-]*(?:[kKMG]i?B|bytes)?|{LABEL}", re.IGNORECASE)
"""A size, a date, a line of dashes, or an algorithm."""
_PLACES = ("name", "filename", "file", "path", "basename", "asset", "url", "href")
_HOLDERS = re.compile(
    rf"{LABEL}|hash(?:es)?|digests?|checksums?|sums?|integrity|value|hex|files|assets|artifacts",
    re.IGNORECASE,
)
"""Keys that name no file."""


class Row(NamedTuple):
    """A digest in hex digits, and a name that it may belong to."""

    name: str
    digest: str


def rows(line: str) -> Iterator[Row]:
    """Yield what a line of a table says; nothing where it is none."""
    if len(line) > _LONGEST:
        return
    for rule in _RULES:
        if rule not in line:
            continue
        cells = [unquoted(cell) for cell in line.split(rule)]
        found = [digest for cell in cells if (digest := as_digest(cell))]
        names = [cell for cell in cells if not (as_digest(cell) or _NO_NAME.fullmatch(cell))]
        if found and names and (rule != "\t" or len(cells) > 2):
            yield from (Row(name, digest) for name in names for digest in found)
            return


def from_json(text: str) -> Iterator[Row]:
    """Yield what a JSON text says; nothing where it is none."""
    if text.lstrip()[:1] not in ("{", "["):
        return
    try:
        yield from list(_walk(json.loads(text), (), ""))
    except (ValueError, RecursionError):
        return


def _walk(data: object, names: tuple[str, ...], key: str) -> Iterator[Row]:
    """Yield the digests of a value that stands under ``key``, in what bears ``names``."""
    if isinstance(data, list):
        for entry in data:
            yield from _walk(entry, names, key)
    elif isinstance(data, dict):
        given = _given(data)
        names = given or names
        for inner, value in data.items():
            own = names if _HOLDERS.fullmatch(inner) or inner in _PLACES else (inner,)
            yield from _walk(value, own if isinstance(value, str) or not given else names, inner)
    elif isinstance(data, str) and (digest := as_digest(data)) and algorithm_of(key, digest):
        yield from (Row(name, digest) for name in names)


def _given(data: dict[str, object]) -> tuple[str, ...]:
    """Return the names that an object gives itself; a path with a folder stands for all."""
    found = [name for place in _PLACES if isinstance(name := data.get(place), str)]
    path = data.get("path")
    return (path,) if isinstance(path, str) and "/" in path else tuple(found)
