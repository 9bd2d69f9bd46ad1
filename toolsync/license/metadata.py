"""What a package's metadata say about its license and about what it needs."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator
from pathlib import PurePosixPath

from toolsync.license.spdx import expression_of
from toolsync.license.terms import Declared

FILE_BYTES = 512 * 1024
"""Metadata are not longer than this."""

_PYTHON = frozenset({"METADATA", "PKG-INFO"})
_NAMES = frozenset({"package.json", "pyproject.toml", "Cargo.toml", "setup.cfg", "composer.json"})
_REQUIRES = re.compile(r"\s*([A-Za-z0-9][A-Za-z0-9._-]*)")


def is_metadata(path: str) -> bool:
    """Say whether a canonical path names metadata of the release itself."""
    where = PurePosixPath(path)
    folder = where.parent.as_posix()
    if where.name in _PYTHON:
        return folder in (".", ".dist-info") or folder.endswith(".egg-info")
    return folder == "." and (where.name in _NAMES or where.suffix == ".gemspec")


def read(path: str, data: bytes) -> tuple[tuple[Declared, ...], tuple[str, ...]]:
    """Return the licenses that one file declares, and the names that it requires.

    Raises ValueError for what is not of its format.
    """
    text = data.decode("utf-8", "replace")
    name = PurePosixPath(path).name
    if name in _PYTHON:
        values, needs = list(_python(text)), _python_needs(text)
    elif name.endswith(".json"):
        values, needs = list(_json(text)), _json_needs(text)
    elif name.endswith(".toml"):
        values, needs = list(_toml(text)), ()
    else:
        values, needs = (
            re.findall(r"(?m)^[ \t]*(?:\w+\.)?licen[sc]es?[ \t]*=[ \t]*['\"]?([^'\"\n\[]+)", text),
            (),
        )
    found = (
        Declared(path=path, value=value[:300], expression=expression_of(value)) for value in values
    )
    return tuple(found), tuple(sorted({_plain(need) for need in needs}))


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _python(text: str) -> Iterator[str]:
    """Yield the fields of core metadata; classifiers are too coarse and too often wrong."""
    head = text.split("\n\n", 1)[0]
    for field in ("License-Expression", "License"):
        found = re.search(rf"(?m)^{field}:[ \t]*(\S[^\n]*)", head)
        if found and found[1].strip().upper() != "UNKNOWN":
            yield found[1].strip()
            return


def _python_needs(text: str) -> tuple[str, ...]:
    lines = re.findall(r"(?m)^Requires-Dist:([^\n;]*)(;[^\n]*)?$", text.split("\n\n", 1)[0])
    found = (_REQUIRES.match(line) for line, marker in lines if "extra" not in marker)
    return tuple(match[1] for match in found if match)


def _json(text: str) -> Iterator[str]:
    table = _table(json.loads(text))
    values = table.get("license", table.get("licenses", []))
    for value in values if isinstance(values, list) else [values]:
        if isinstance(value, dict):
            value = value.get("type") or value.get("name")
        if isinstance(value, str) and value.strip():
            yield value.strip()


def _json_needs(text: str) -> tuple[str, ...]:
    needs = _table(json.loads(text)).get("dependencies", {})
    return tuple(map(str, needs)) if isinstance(needs, dict) else ()


def _toml(text: str) -> Iterator[str]:
    raw = tomllib.loads(text)
    for part in (raw.get("project"), raw.get("package"), _table(raw.get("tool")).get("poetry")):
        value = _table(part).get("license")
        if isinstance(value, dict):
            value = value.get("text")
        if isinstance(value, str) and value.strip():
            yield value.strip().splitlines()[0]


def _table(value: object) -> dict[str, object]:
    return value if isinstance(value, dict) else {}
