"""How much terms that a worker read may hold, and how long each of its words may be."""

from __future__ import annotations

from collections.abc import Iterator

from toolsync.license.found import MAX_FILES, MAX_PROBLEMS, MAX_TEXTS
from toolsync.license.names import canonical
from toolsync.license.terms import KEPT_WORDS, LicenseText, Terms
from toolsync.model.errors import Hostile

_PATH = 8192
"""Characters of a path, of which odd ones are written in four."""
_WORD = 20_000
"""Of a license's expression, and of why something could not be read."""
_IDS, _PARTS = 1000, 10_000


def require_bounds(terms: Terms) -> None:
    """Raise Hostile where there is more than a reading gives, or a text that is no file."""
    counts = [len(terms.told), len(terms.components), len(terms.declared), len(terms.requires)]
    if len(terms.files) > MAX_FILES or len(terms.problems) > MAX_PROBLEMS + 1:
        raise Hostile(f"terms of {len(terms.files)} files with {len(terms.problems)} problems")
    if max(counts) > MAX_FILES or terms.size < 0:
        raise Hostile(f"terms with {max(counts)} of something, or of {terms.size} bytes")
    files = {file.path for file in terms.files}
    if len(terms.texts) > MAX_TEXTS or {text.path for text in terms.texts} - files:
        raise Hostile(f"{len(terms.texts)} license texts, or one that is no file of the release")
    for text in terms.texts:
        _require_text(text)
    if any(len(ids) > _IDS for _, ids in _told(terms)):
        raise Hostile(f"a file of over {_IDS} licenses")
    if any(len(path) > _PATH or ".." in path.split("/") for path in _paths(terms)):
        raise Hostile(f"a path of over {_PATH} characters, or one that leads elsewhere")
    if any(len(word) > _WORD for word in _words(terms)):
        raise Hostile(f"a word of over {_WORD} characters")


def _require_text(text: LicenseText) -> None:
    """Raise Hostile unless a license text can be a file's: what reads it later opens that."""
    if canonical(text.file) != text.path:
        raise Hostile(f"the license text {text.path[:70]} in {text.file[:70]!r}, another file")
    if len(text.words) > KEPT_WORDS or len(text.parts) > _PARTS or text.size < 0:
        raise Hostile(f"{text.path[:70]} with more words than are kept")


def _paths(terms: Terms) -> Iterator[str]:
    yield from (text.file for text in terms.texts)
    yield from (file.path for file in terms.files)
    yield from (component.path for component in terms.components)
    yield from (declared.path for declared in terms.declared)
    yield from (problem.path for problem in terms.problems)


def _told(terms: Terms) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Give digest and licenses of each file, and of each that a detector has looked at."""
    yield from ((file.digest, file.ids) for file in terms.files)
    yield from ((told.digest, told.ids) for told in terms.told)


def _words(terms: Terms) -> Iterator[str]:
    yield from terms.requires
    for text in terms.texts:
        yield from (text.fingerprint, text.id, text.said, *text.parts)
    for digest, ids in _told(terms):
        yield from (digest, *ids)
    for component in terms.components:
        yield from (component.kind, component.name, component.digest)
    for declared in terms.declared:
        yield from (declared.value, declared.expression)
    yield from (problem.reason for problem in terms.problems)
