"""Rows as queries give them, and how they become frozen values whose types were checked."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from typing import Any, NamedTuple, TypeVar, cast, get_type_hints

from toolsync.model.errors import SetupError
from toolsync.model.values import field_names

T = TypeVar("T")


class Row(NamedTuple):
    """One row of an answer (a tuple, since very many are made).

    Each method raises SetupError where a column is not of the kind that the program has written:
    then somebody else has, or the disk is bad.
    """

    columns: Mapping[str, object]

    def text(self, name: str) -> str:
        """Return the text in a column."""
        value = self.columns[name]
        if not isinstance(value, str):
            raise unfit(f"its column {name} holds {value!r}, not a text")
        return value

    def integer(self, name: str) -> int:
        """Return the number in a column."""
        value = self.columns[name]
        if not isinstance(value, int):
            raise unfit(f"its column {name} holds {value!r}, not a number")
        return value

    def table(self, name: str) -> dict[str, object]:
        """Return the JSON object in a column."""
        found = self._json(name)
        if not isinstance(found, dict):
            raise unfit(f"its column {name} holds JSON that is no object")
        return found

    def texts(self, name: str) -> tuple[str, ...]:
        """Return the texts of the JSON list in a column."""
        found = self._json(name)
        if not isinstance(found, list) or not all(isinstance(item, str) for item in found):
            raise unfit(f"its column {name} holds JSON that is no list of texts")
        return tuple(found)

    def read(self, cls: type[T], **given: object) -> T:
        """Return a ``cls`` whose fields are the columns of their names, but for those ``given``."""
        columns = self.columns
        for name, kind in _fields(cast(Any, cls)):
            if name not in given:
                value = columns[name]
                if not isinstance(value, kind):
                    raise unfit(f"its column {name} holds {value!r}, not what {cls.__name__} wants")
                given[name] = value
        return cls(**given)

    def _json(self, name: str) -> object:
        text = self.text(name)
        if text == "{}":
            return {}  # as most are
        try:
            found: object = json.loads(text)
        except ValueError as error:
            raise unfit(f"its column {name} holds no JSON: {error}") from error
        return found


@cache
def _fields(cls: Any) -> tuple[tuple[str, Any], ...]:
    """Return names and types of a dataclass's fields, as far as a column can have the type."""
    hints = get_type_hints(cls)
    plain = {str: str, int: int, str | None: str | None}
    return tuple((name, plain.get(hints[name], ())) for name in field_names(cls))


def unfit(said: str) -> SetupError:
    """Return the error for a journal that cannot be used as it is."""
    return SetupError(
        f"the journal cannot be used: {said}",
        resolution="Restore it from a backup, or name another folder with --state.",
    )
