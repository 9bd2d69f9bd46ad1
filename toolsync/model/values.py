"""Small values that others are made of, and the form of all values in JSON."""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import PurePath
from typing import Any, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Blob:
    """A file in the store, known by its content."""

    name: str
    """The name it had at its origin; never used as a path."""
    sha256: str
    """64 hex digits."""
    size: int
    """Bytes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that a stage saw and a reader of the evidence should know."""

    stage: str
    code: str
    """A short stable word, such as ``not-examined``."""
    severity: str
    """``info``, ``additive``, ``risky``, ``breaking`` or ``unknown``."""
    message: str


WHILE_FILLED: Mapping[str, str] = {"told": "while filled"}
"""Metadata of a field that came later: empty it is not dumped, so that old digests stay."""
_AS_THEY_ARE = frozenset({str, int, bool, type(None)})
"""Types whose values JSON has as they are."""
NEVER: Mapping[str, str] = {"told": "never"}
"""Metadata of a field that holds no data, and is not dumped."""


def dump(value: object, *, without: str = "") -> dict[str, object]:
    """Return a value's own fields as JSON types, leaving out the field ``without``."""
    found: dict[str, object] = {}
    for name in told(value):
        if name != without:
            item = getattr(value, name)
            found[name] = item if type(item) in _AS_THEY_ARE else _plain(item)
    return found


def told(value: object) -> tuple[str, ...]:
    """Return the names of the fields that count now (`WHILE_FILLED`, `NEVER`)."""
    cls = typing.cast(Any, type(value))
    names, rules = field_names(cls), _rules(cls)
    if not rules:
        return names
    while_filled = WHILE_FILLED["told"]
    return tuple(
        [n for n in names if n not in rules or (rules[n] == while_filled and getattr(value, n))]
    )


@cache
def _rules(cls: Any) -> Mapping[str, str]:
    """Return the fields of a class that are not always dumped, with the rule of each."""
    if not dataclasses.is_dataclass(cls):
        return dict.fromkeys(getattr(cls, "later", tuple)(), WHILE_FILLED["told"])
    fields = dataclasses.fields(cls)
    return {f.name: f.metadata["told"] for f in fields if "told" in f.metadata}


def twin(one: T) -> T:
    """Return another object with the same attributes, as `copy.copy` does in ten times the time.

    For classes of ours that are made for each request: no slots, and nothing of pickle's.
    """
    other = object.__new__(type(one))
    other.__dict__.update(one.__dict__)
    return other


@cache
def field_names(cls: Any) -> tuple[str, ...]:
    """Return the names of a dataclass's or a named tuple's fields, in their order."""
    if dataclasses.is_dataclass(cls):
        return tuple(field.name for field in dataclasses.fields(cls))
    names: tuple[str, ...] = cls._fields
    return names


def _is_value(cls: Any) -> bool:
    return dataclasses.is_dataclass(cls) or hasattr(cls, "_fields")


def load(cls: type[T], data: Mapping[str, Any], **predecessor: object) -> T:
    """Build ``cls`` from what `dump` gave and, by its field's name, its predecessor.

    Raises TypeError, ValueError or KeyError where ``data`` is not of that form.
    """
    if not isinstance(data, Mapping):
        raise TypeError(f"{data!r} is no table")
    hints, plain = _hints(typing.cast(object, cls)), _plain_types(typing.cast(object, cls))
    # Most of very many fields are texts: each takes a tenth of the time of `_typed` so.
    own = {
        name: item if type(item) in plain.get(name, ()) else _typed(hints[name], item)
        for name, item in data.items()
    }
    return cls(**own, **predecessor)


def _plain(item: object) -> object:
    if isinstance(item, str | int):
        return item
    if _is_value(item):
        return dump(item)
    if isinstance(item, tuple):
        return [_plain(part) for part in item]
    return str(item) if isinstance(item, PurePath) else item


def _typed(hint: Any, item: Any) -> Any:
    if hint is str and isinstance(item, str):
        return item  # as most are
    if isinstance(hint, type) and _is_value(hint):
        return load(hint, item)
    origin = typing.get_origin(hint)
    if origin is tuple:
        inner = typing.get_args(hint)[0]
        return tuple(_typed(inner, part) for part in item)
    if origin is types.UnionType:
        return _either(typing.get_args(hint), item)
    if origin is Mapping and isinstance(item, Mapping):
        return dict(item)
    if hint is float and isinstance(item, int):
        return item
    if not isinstance(item, origin or hint):
        raise TypeError(f"{item!r} is not of type {hint}")
    return item


def _either(hints: tuple[Any, ...], item: Any) -> Any:
    """Return an item of one of several types: a value from its table, others as they are."""
    found = [hint for hint in hints if _is_value(hint)]
    if found and isinstance(item, Mapping):
        return _typed(found[0], item)
    plain = tuple(typing.get_origin(hint) or hint for hint in hints if hint not in found)
    if not isinstance(item, plain):
        raise TypeError(f"{item!r} is of none of the types {hints}")
    return item


@cache
def _hints(cls: object) -> dict[str, object]:
    return typing.get_type_hints(cls)


@cache
def _plain_types(cls: object) -> dict[str, tuple[type, ...]]:
    """Return the fields of which an item of exactly one of these types is right as it is."""
    known: Mapping[object, tuple[type, ...]] = {
        **{hint: (hint,) for hint in (str, int, bool)},
        **{hint | None: (hint, type(None)) for hint in (str, int)},
    }
    return {name: known[hint] for name, hint in _hints(cls).items() if hint in known}
