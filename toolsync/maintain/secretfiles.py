"""The files that hold secrets of a set-up, by the settings that name them; no tool names any."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from pathlib import Path

from toolsync.config.settings import Config

_KEYS = ("_file", "identity")
"""How the names of settings end whose value is the place of a secret."""
_PAGES_OWN = "[web] hook_secret_file"
"""What the pages themselves must read."""


def secret_files(config: Config) -> Iterator[tuple[str, Path]]:
    """Yield every file that is to be secret from the pages, each once, with what names it."""
    seen: set[Path] = set()
    for key, text in _named("", config):
        path = Path(text).expanduser()
        if text and key != _PAGES_OWN and path not in seen:
            seen.add(path)
            yield key, path


def _named(section: str, values: object) -> Iterator[tuple[str, str]]:
    """Yield the settings that name a secret, in a dataclass and those within it."""
    for one in fields(values) if is_dataclass(values) else ():
        value, below = getattr(values, one.name), f"{section}.{one.name}".lstrip(".")
        if isinstance(value, str) and one.name.endswith(_KEYS):
            yield f"[{section}] {one.name}", value
        elif isinstance(value, Mapping):
            yield from _tables(section, value)
        else:
            yield from _named(below, value)


def _tables(section: str, values: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    """Yield them in a section that no dataclass stands for, such as another's channel."""
    for name, value in values.items():
        if isinstance(value, str) and name.endswith(_KEYS):
            yield f"[{section}] {name}", value
        elif isinstance(value, Mapping):
            yield from _tables(f"{section}.{name}".lstrip("."), value)
