"""Keep in the state where very many tools stood, with all that it followed from.

That is the marks of the definition's files (`setup.kept`), a digest of what the journal answered
(`journal.noted`), and over all of them the settings and the program.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from toolsync.config.settings import Config
from toolsync.journal.noted import Question, question
from toolsync.model.release import Outcome, dump, load
from toolsync.model.values import field_names
from toolsync.setup.cachefile import read_cache, write_cache


class Listed(NamedTuple):
    """Where a tool stands, and what else a list tells of it."""

    name: str
    source: str
    """As of `Tool`."""
    series: tuple[str, ...]
    """As of `Tool`."""
    outcome: Outcome | None
    """None before its first look."""
    unserved: tuple[str, ...]
    """Lines about uploads that their target does not serve yet."""


class Kept(NamedTuple):
    """What was worked out of a tool, and what it follows from."""

    marks: str
    """Of the definition's files (`marks_of`)."""
    questions: tuple[Question, ...]
    """What the journal was asked."""
    answers: str
    """Digest of what it answered."""
    listed: Listed


def read_standings(file: Path, key: str) -> dict[str, Kept]:
    """Return what was kept with the same ``key``, by tool; nothing where anything is wrong."""
    try:
        asked, rows = json.loads(read_cache(file, key) or b"[[], []]")
        questions = [tuple(question(*one) for one in some) for some in asked]
        kept = [_kept(questions, *row) for row in rows]
    except (ValueError, TypeError, IndexError, AttributeError):
        return {}  # not as we wrote it
    return {one.listed.name: one for one in kept}


def write_standings(file: Path, key: str, kept: Iterable[Kept]) -> None:
    """Write it whole; it need not succeed."""
    asked: dict[tuple[Question, ...], int] = {}
    rows = [_plain(one, asked.setdefault(one.questions, len(asked))) for one in kept]
    write_cache(file, key, json.dumps([list(asked), rows]).encode())


def key_of(config: Config) -> str:
    """Return a digest of the settings and the program: by others, tools may stand elsewhere."""
    settings = (config.file, config.state, config.target, config.series, config.tool_folders)
    try:
        said = config.file.read_bytes()
    except OSError:
        said = b""
    # A checkout's version stays while its modules are edited, so their files count.
    parts = [repr(settings).encode(errors="surrogateescape"), said, *_modules()]
    return hashlib.sha256(b"\0".join(hashlib.sha256(part).digest() for part in parts)).hexdigest()


_NAMES = field_names(Outcome)
_PROGRAM = Path(__file__).parents[1]


def _plain(kept: Kept, asked: int) -> list[object]:
    one = kept.listed
    said = list(dump(one.outcome).values()) if one.outcome else []
    return [kept.marks, asked, kept.answers, one.name, one.source, one.series, one.unserved, said]


def _kept(
    questions: Sequence[tuple[Question, ...]],
    marks: str,
    asked: int,
    answers: str,
    name: str,
    source: str,
    series: Sequence[str],
    unserved: Sequence[str],
    said: Sequence[object],
) -> Kept:
    if not all(isinstance(text, str) for text in (marks, answers, name, source)):
        raise TypeError(f"what is kept of {name!r} is not as we write it")
    outcome = load(Outcome, dict(zip(_NAMES, said, strict=True)))
    listed = Listed(name, source, tuple(series), outcome, tuple(unserved))
    return Kept(marks, questions[asked], answers, listed)


def _modules() -> Iterator[bytes]:
    """Give the marks of all files of the program."""
    for place, folders, names in os.walk(_PROGRAM):
        folders.sort()
        for name in sorted(names):
            if not name.endswith(".pyc"):
                seen = os.stat(f"{place}/{name}")  # noqa: PTH116 (a path takes three times as long)
                yield os.fsencode(f"{place}/{name} {seen.st_size} {seen.st_mtime_ns}")
