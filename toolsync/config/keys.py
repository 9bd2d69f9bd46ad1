"""Short ways to write the JSON Schema of a key, for the settings of records."""

from __future__ import annotations

from collections.abc import Sequence


def text(description: str, *, pattern: str = "") -> dict[str, object]:
    """Return the schema of a text, which a regular expression may bind."""
    more = {"pattern": pattern} if pattern else {}
    return {"type": "string", "description": description, **more}


def address(description: str) -> dict[str, object]:
    """Return the schema of an http or https address."""
    return text(description, pattern="^https?://")


def number(description: str, *, least: int = 1) -> dict[str, object]:
    """Return the schema of a whole number."""
    return {"type": "integer", "minimum": least, "description": description}


def flag(description: str) -> dict[str, object]:
    """Return the schema of true or false."""
    return {"type": "boolean", "description": description}


def choice(description: str, words: Sequence[str]) -> dict[str, object]:
    """Return the schema of one of several words."""
    return {"type": "string", "description": description, "enum": list(words)}


def texts(
    description: str, *, each: str = "", pattern: str = "", least: int = 0
) -> dict[str, object]:
    """Return the schema of a list of texts; ``each`` describes one of them."""
    more = {"minItems": least} if least else {}
    item = text(each or description, pattern=pattern)
    return {"type": "array", "description": description, "items": item, **more}
