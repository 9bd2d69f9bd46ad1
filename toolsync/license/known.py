"""License texts that are known by the fingerprint of their words, and the titles they go by.

``known.json`` maps fingerprints to SPDX ids; one license has several where its text is handed
around in several wordings. A title is dropped only where it names the license that follows: one
that names another is a claim about terms and stays part of the text.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import islice
from pathlib import Path

from toolsync.license.normalise import fingerprint, first_lines, normalise

AMAZON = "LicenseRef-Amazon-Software-License"
"""Redistributable with a complete copy (2.1, 3.1), for use with Amazon's services only (3.3)."""

TITLES = {
    "MIT": ("mit", "mit x11", "expat", "mit expat"),
    "ISC": ("isc",),
    "BSD-2-Clause": ("bsd", "bsd 2 clause", "simplified bsd", "2 clause bsd", "freebsd"),
    "BSD-3-Clause": (
        "bsd",
        "bsd 3 clause",
        "new bsd",
        "3 clause bsd",
        "modified bsd",
        "revised bsd",
    ),
    "Apache-2.0": ("apache", "apache 2 0", "apache license 2 0", "apache license version 2 0"),
    "Zlib": ("zlib", "zlib libpng"),
    "Unlicense": ("unlicense",),
    "BSL-1.0": ("boost software", "boost software license version 1 0"),
    "0BSD": ("0bsd", "zero clause bsd", "bsd zero clause"),
    "MPL-2.0": ("mozilla public license version 2 0", "mozilla public license 2 0", "mpl 2 0"),
    "PSF-2.0": ("python software foundation", "python software foundation license version 2"),
    AMAZON: ("amazon software",),
}
"""What may stand above a text of each license, after an optional "the", before "license"."""

GENERIC = frozenset(
    {
        "copyright",
        "copyright and license",
        "copyright notice",
        "license",
        "license agreement",
        "license and copyright",
        "license information",
        "license text",
        "licenses",
        "licensing",
        "software license",
        "the license",
    }
)
"""Lines above a text that claim nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """A text without its harmless title, and which license it is."""

    words: str
    id: str
    """An SPDX id or LicenseRef; empty where the text is not known."""


def identify(words: str, title_words: tuple[str, ...] = ()) -> Identity:
    """Return what a normalised text is; ``title_words`` are its first lines' words."""
    for line in title_words:
        if line not in GENERIC or not (words + " ").startswith(line + " "):
            break
        words = words[len(line) + 1 :]
    known = known_texts()
    found = known.get(fingerprint(words), "")
    if found:
        return Identity(words=words, id=found)
    for title, ids in _titles():
        if words.startswith(title + " "):
            body = words[len(title) + 1 :]
            found = known.get(fingerprint(body), "")
            if found and (not ids or found.removesuffix("-or-later") in ids):
                return Identity(words=body, id=found)
    return Identity(words=words, id="")


def first_words(text: str) -> tuple[str, ...]:
    """Return the words of a raw text's first two lines, where a title may stand."""
    return tuple(islice(first_lines(text), 2))


def part(text: str) -> str:
    """Return the fingerprint of a part of a raw text, without its harmless title."""
    return fingerprint(identify(normalise(text), first_words(text)).words)


@cache
def known_texts() -> dict[str, str]:
    """Return the SPDX id of each fingerprint."""
    text = Path(__file__).with_name("known.json").read_text(encoding="utf-8")
    table: dict[str, list[str]] = json.loads(text)
    return {digest: name for name, digests in table.items() for digest in digests}


@cache
def _titles() -> tuple[tuple[str, frozenset[str]], ...]:
    """Return each title as words, longest first, with the licenses that it may stand above."""
    found: dict[str, set[str]] = {title: set() for title in GENERIC}
    for name, titles in TITLES.items():
        for title in titles:
            for spelled in _spelled(title):
                found.setdefault(spelled, set()).add(name)
    ordered = sorted(found.items(), key=lambda item: -len(item[0]))
    return tuple((title, frozenset(ids)) for title, ids in ordered)


def _spelled(title: str) -> Iterator[str]:
    """Yield the ways to write a title: the MIT License (MIT), MIT License, MIT."""
    for form in (title, f"{title} license"):
        yield from (form, f"the {form}", f"{form} {title}", f"the {form} {title}")
