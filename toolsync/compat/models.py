"""Read botocore's service models: services, API versions, operations and what they take.

A model is ``data/SERVICE/DATE/service-2.json``, packed or not. An operation's value is its input
members as ``name:type``, parted by blanks, with ``!`` before the name of a required one.
"""

from __future__ import annotations

import gzip
import json
import re
import zlib
from typing import Any

from toolsync.compat.files import Tree
from toolsync.compat.surface import Draft

_MODEL = re.compile(r"(?:.*/)?data/([\w.-]+)/(\d{4}-\d\d-\d\d)/service-2\.json(\.gz)?")
_LIMIT = 64 * 1024 * 1024


def read(tree: Tree, draft: Draft) -> None:
    """Add every service of the tree, by its newest model, which is the one that botocore uses."""
    newest: dict[str, tuple[str, str]] = {}
    for path in tree.sources:
        match = _MODEL.fullmatch(path)
        if match and match[2] > newest.get(match[1], ("", ""))[0]:
            newest[match[1]] = match[2], path
    for service, (date, path) in sorted(newest.items()):
        try:
            operations = _operations(_load(tree, path))
        except (
            ValueError,
            KeyError,
            TypeError,
            AttributeError,
            OSError,
            EOFError,
            zlib.error,
            RecursionError,
        ) as error:
            draft.gap("service", service, f"{path} is no service model: {error!r}")
            continue
        draft.add("service", service, date)
        for name, members in operations.items():
            draft.add("operation", f"{service}.{name}", members)


def _load(tree: Tree, path: str) -> object:
    data = tree.read(path, _LIMIT)
    if data is None:
        raise ValueError(f"it has more than {_LIMIT} bytes or cannot be read")
    if path.endswith(".gz"):
        unpacker = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
        data = unpacker.decompress(data, _LIMIT)
        if not unpacker.eof:
            raise gzip.BadGzipFile(f"it does not end within {_LIMIT} bytes")
    return json.loads(data)


def _operations(model: Any) -> dict[str, str]:
    """Return every operation's input members."""
    shapes, found = model["shapes"], {}
    for name, operation in model["operations"].items():
        shape = shapes[operation["input"]["shape"]] if "input" in operation else {}
        required = set(shape.get("required", ()))
        members = (
            f"{'!' * (member in required)}{member}:{shapes[target['shape']]['type']}"
            for member, target in sorted(shape.get("members", {}).items())
        )
        found[_word(name)] = " ".join(map(_word, members))
    return found


def _word(text: str) -> str:
    if not isinstance(text, str) or any(c.isspace() for c in text):
        raise ValueError(f"{text!r} is no name")
    return text


def members(value: str) -> dict[str, tuple[str, bool]]:
    """Return what an operation's value says: type and need of each member by its name."""
    found = {}
    for word in value.split():
        name, _, kind = word.partition(":")
        found[name.removeprefix("!")] = kind, name.startswith("!")
    return found
