"""Read TOML against a JSON Schema: all faults at once, by file, key, and what would be right.

A typing error in a key is a fault and never silently a default.
"""

from __future__ import annotations

import json
import tomllib
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

from toolsync.errors import SetupError


def read_toml(path: Path, schema: str) -> dict[str, Any]:
    """Return the file's table; ``schema`` names a JSON Schema beside this module.

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
    faults = [
        f"{'.'.join(map(str, error.absolute_path)) or 'top level'}: {_in_words(error)}"
        for error in sorted(_validator(schema).iter_errors(raw), key=lambda e: str(e.json_path))
    ]
    if faults:
        raise SetupError.listing(str(path), faults)
    return raw


def _in_words(error: Any) -> str:
    """Return a schema's complaint as found and wanted."""
    message = str(error.message)
    described = error.schema.get("description", "") if isinstance(error.schema, dict) else ""
    if error.validator == "additionalProperties":
        known = ", ".join(sorted(error.schema.get("properties", {})))
        return f"{message}; the keys here are: {known}"
    return f"{message}; wanted: {described}" if described else message


@cache
def _validator(schema: str) -> Any:
    # A heavy import, so it is made where a file is really read.
    from jsonschema import Draft202012Validator

    text = resources.files("toolsync").joinpath(schema).read_text(encoding="utf-8")
    return Draft202012Validator(json.loads(text))
