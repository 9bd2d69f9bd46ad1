"""Say quickly that a value is what a JSON Schema wants, where that is plain.

The full validator names every fault, and takes 40 ms to load and 0.1 ms for each file; most files
have no fault. What is not plainly right is left to it, so that nothing is refused here.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

_TYPES: Mapping[str, tuple[type, ...]] = {
    "string": (str,), "integer": (int,), "number": (int, float), "boolean": (bool,),
    "object": (dict,), "array": (list,),
}  # fmt: skip


def plainly_holds(schema: Mapping[str, object], value: object) -> bool:
    """Return True only where the validator finds no fault in ``value``; False says nothing."""
    # Loops, here and below: what is asked some hundred times of each file takes half the time so.
    for keyword, wanted in schema.items():
        if keyword not in _SILENT and not _RULES.get(keyword, _unknown)(wanted, value, schema):
            return False
    return True


def _unknown(*_: object) -> bool:
    return False


def _same(wanted: object, value: object) -> bool:
    return type(wanted) is type(value) and bool(wanted == value)  # to Python, true is 1


def _properties(wanted: Mapping[str, Any], value: Any, _: Any) -> bool:
    if type(value) is not dict:
        return True
    for name, it in value.items():
        if name in wanted and not plainly_holds(wanted[name], it):
            return False
    return True


def _additional(wanted: Any, value: Any, schema: Mapping[str, Any]) -> bool:
    if type(value) is not dict:
        return True
    if wanted is True:
        return True
    known = schema.get("properties", {})
    others = [it for name, it in value.items() if name not in known]
    if wanted is False:
        return not others
    return all(plainly_holds(wanted, it) for it in others)


@lru_cache(maxsize=128)
def _search(pattern: str) -> Callable[[str], object]:
    return re.compile(pattern).search


_SILENT = frozenset({"$schema", "title", "description"})
_RULES: Mapping[str, Callable[[Any, Any, Mapping[str, Any]], bool]] = {
    "type": lambda wanted, value, _: type(value) in _TYPES.get(str(wanted), ()),
    "enum": lambda wanted, value, _: any(_same(it, value) for it in wanted),
    "const": lambda wanted, value, _: _same(wanted, value),
    "pattern": lambda wanted, value, _: type(value) is str and _search(wanted)(value) is not None,
    "minLength": lambda wanted, value, _: type(value) is str and len(value) >= wanted,
    "minimum": lambda wanted, value, _: type(value) in (int, float) and value >= wanted,
    "maximum": lambda wanted, value, _: type(value) in (int, float) and value <= wanted,
    "minItems": lambda wanted, value, _: type(value) is list and len(value) >= wanted,
    "items": lambda wanted, value, _: (
        type(value) is list and all(plainly_holds(wanted, it) for it in value)
    ),
    "required": lambda wanted, value, _: type(value) is dict and value.keys() >= set(wanted),
    "properties": _properties,
    "additionalProperties": _additional,
    "anyOf": lambda wanted, value, _: any(plainly_holds(it, value) for it in wanted),
}
"""What each keyword wants of a value; where it might not apply, the value is not plain."""
