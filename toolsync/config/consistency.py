"""What of a tool's definition a schema cannot see: keys that need others, or contradict them."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from string import Formatter

from toolsync.config.record import PageKind, Proof, Table, missing

_BRACES = ("url", "dir", "version", "tag", "filename", "sha256")
"""What addresses in [verify] may hold in braces (`verify.method.words_of`)."""
_BRACED = {
    **dict.fromkeys(("signature", "checksums", "listed_as", "identity"), _BRACES),
    "checksums_signature": (*_BRACES, "checksums"),
}
"""The keys of [verify] that have words in braces, and which."""
_NAME = re.compile(r"[a-z0-9][a-z0-9.+-]+")
"""A source package's name (Debian Policy 5.6.1); also keeps a name from being a path."""


def tool_faults(
    folder: Path, raw: Table, kind: PageKind, methods: Mapping[str, Proof]
) -> Iterator[str]:
    """Yield the faults that a schema cannot see; ``kind`` is that of the tool's page."""
    watch, verify = raw["watch"], raw.get("verify", {})
    if not _NAME.fullmatch(folder.name):
        yield f"the folder's name {folder.name!r} is no source package's name"
    yield from missing(kind, watch, "watch", f"a page of kind {kind.name}")
    yield from _pattern_faults(watch)
    yield from kind.faults(watch)
    method = verify.get("method", "")
    if record := methods.get(method):
        yield from missing(record, verify, "verify", f"the method {method}")
        yield from record.faults(watch, kind)
    yield from _unsigned_faults(verify)
    yield from _brace_faults(verify)
    if not os.path.isfile(f"{folder}/debian/control"):  # noqa: PTH113 (a tenth of the time)
        yield "debian/control: missing; a tool carries its packaging beside tool.toml"


def _brace_faults(verify: Table) -> Iterator[str]:
    """Give a fault for each word in braces that nothing is put in the place of."""
    for key, known in _BRACED.items():
        given = verify.get(key, ())
        for text in (given,) if isinstance(given, str) else given:
            try:
                words = _in_braces(text)
            except ValueError as error:
                yield f"verify.{key}: {text!r} has braces that mean nothing: {error}"
                continue
            for word in (word for word in words if word not in known):
                told = ", ".join(f"{{{name}}}" for name in known)
                yield f"verify.{key}: nothing is put in the place of {{{word}}}; known are {told}"


@lru_cache(maxsize=64)  # most tools say the same
def _in_braces(text: str) -> tuple[str, ...]:
    """Return the words in braces; raises ValueError where they do not pair."""
    return tuple(word for _, word, _, _ in Formatter().parse(text) if word is not None)


def _unsigned_faults(verify: Table) -> Iterator[str]:
    if not verify.get("unsigned"):
        return
    if not verify.get("reason", "").strip():
        yield "verify.reason: missing; unsigned = true says why a list that nobody signs will do"
    if verify.get("keys"):
        yield "verify.unsigned: contradicts verify.keys, by one of which the list must be signed"


def _pattern_faults(watch: Table) -> Iterator[str]:
    pattern = watch.get("pattern")
    if pattern is None:
        return
    try:
        compiled = re.compile(pattern)
    except re.error as error:
        yield f"watch.pattern: {pattern} is no regular expression: {error}"
        return
    if "version" not in compiled.groupindex:
        yield f"watch.pattern: {pattern} has no group (?P<version>…)"
