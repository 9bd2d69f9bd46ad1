"""Read TOML against a JSON Schema: all faults at once, by file, key, and what would be right.

A typing error in a key is a fault and never silently a default.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from toolsync.config.plainschema import plainly_holds
from toolsync.config.record import Schema, Table
from toolsync.model.errors import SetupError


def read_toml(path: Path, schema: Schema) -> dict[str, Any]:
    """Return the file's table, which is as ``schema`` wants it.

    Raises SetupError with every fault found.
    """
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SetupError(
            f"{path} cannot be read: {error.strerror}",
            resolution="Name a readable file with --config, or mend its permissions.",
        ) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SetupError.listing(str(path), [f"not TOML: {error}"]) from error
    require(path, raw, schema)
    return raw


def read_overlay(path: Path, raw: Table, schema: Schema) -> dict[str, Any]:
    """Return a file's table with another's laid over it, as ``schema`` wants the whole.

    Tables are merged key by key, lists get what they do not have, all else is replaced. Raises
    SetupError with every fault that the overlay brings.
    """
    whole = _merged(raw, read_toml(path, {}))
    require(path, whole, schema)
    return whole


def _merged(under: Table, over: Table) -> dict[str, Any]:
    whole = dict(under)
    for key, value in over.items():
        known = whole.get(key)
        if isinstance(known, Mapping) and isinstance(value, Mapping):
            whole[key] = _merged(known, value)
        elif isinstance(known, list) and isinstance(value, list):
            whole[key] = [*known, *(item for item in value if item not in known)]
        else:
            whole[key] = value
    return whole


def require(path: Path, raw: Table, schema: Schema) -> None:
    """Raise SetupError with every fault of a table that was read from ``path``."""
    if not plainly_holds(schema, raw) and (faults := list(_faults(schema, raw))):
        raise SetupError.listing(str(path), faults)


def _faults(schema: Schema, raw: Any) -> Iterator[str]:
    # A heavy import, so it is made where there may be something to say.
    from jsonschema import Draft202012Validator

    found = Draft202012Validator(schema).iter_errors(raw)
    for error in sorted(found, key=lambda e: str(e.json_path)):
        yield f"{'.'.join(map(str, error.absolute_path)) or 'top level'}: {_in_words(error)}"


def _in_words(error: Any) -> str:
    """Return a schema's complaint as found and wanted."""
    message = str(error.message)
    described = error.schema.get("description", "") if isinstance(error.schema, dict) else ""
    if error.validator == "additionalProperties":
        known = ", ".join(sorted(error.schema.get("properties", {})))
        return f"{message}; the keys here are: {known}"
    return f"{message}; wanted: {described}" if described else message


@cache
def base(name: str) -> Any:
    """Return what is the same for all records: a JSON Schema beside this module, never changed."""
    return json.loads(Path(__file__).with_name(name).read_text(encoding="utf-8"))
