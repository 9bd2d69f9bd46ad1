"""Find the version where a page tells it to people, or to its own scripts, and not in an address.

A page that advertises a program links to ``/latest/hello.tar.gz``. The version stands in the
link's text, in a script's data, or inside the archive alone: ways to watch it, in this order.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any
from urllib.parse import unquote

from toolsync.watch.addresses import joined, leaf
from toolsync.watch.candidates import ENDINGS, Candidate, mangled, usable_name
from toolsync.watch.kind import Seen
from toolsync.watch.naming import Family, families, quoted
from toolsync.watch.probe import without_version

_VERSION = r"v?(?P<version>\d+(?:\.\d+)+(?:[-._~]?(?:alpha|beta|rc|pre|dev)[-.]?\d+)?)"
_IN_TEXT = rf"\b{_VERSION}\b"
_IN_DATA = r"""["']?\s*[:=]\s*["']""" + _VERSION + """["']"""
_MARKS = re.compile(rf"(\b[A-Za-z]*[Vv]ersion){_IN_DATA}")
"""What stands before a version in a script's data."""
_ADDRESS = re.compile(r"""["']((?:https?:/|\.{0,2})/[^"'\s<>\\]{1,500})["']""")
_NO_VERSION = "the file's address has no version: what lies there is taken for the one that is told"
_MOST = 5
_TEXT = 1000
"""Characters of a link's text that are looked at."""
_SCRIPTS, _LONGEST = 100, 1_000_000
"""How many scripts are looked at, and characters of each."""


def told(at: Seen, root: Any, base: str) -> Iterator[Candidate]:
    """Yield the ways to watch a page that lists no file with a version in its name."""
    links = [
        (joined(base, a.get("href", "")), " ".join(a.itertext())[:_TEXT]) for a in root.iter("a")
    ]  # fmt: skip
    archives = [(url, text) for url, text in links if ENDINGS.search(leaf(url))]
    bare = [(url, text) for url, text in archives if not families([leaf(url)], files=True)]
    scripts = [str(text)[:_LONGEST] for text in root.xpath("//script/text()")[:_SCRIPTS]]
    files = _in_scripts(scripts, base)
    yield from _of_texts(at, bare)
    yield from _of_files(at, files)
    marks = dict.fromkeys(found[1] for text in scripts for found in _MARKS.finditer(text))
    plain = [url for url in (*(url for url, _ in bare), *files) if not _split(url)]
    for mark in list(marks)[:_MOST]:
        for url in list(dict.fromkeys(plain))[:_MOST]:
            yield _candidate(at, _after(mark), f"^{_IN_DATA}", url, notes=(_NO_VERSION,))
    for url in list(dict.fromkeys(url for url, _ in bare))[:_MOST]:
        yield from without_version(url)


def _of_texts(at: Seen, bare: Sequence[tuple[str, str]]) -> Iterator[Candidate]:
    """Yield the links whose text tells the version of the archive that they lead to."""
    for url, text in bare[:_MOST]:
        name = leaf(url)
        if re.search(_IN_TEXT, text) and not re.search(r"[\"'%]", name):
            place = f'//a[contains(@href, "{name}")]//text()'
            yield _candidate(at, place, _IN_TEXT, url, notes=(_NO_VERSION,))


def _of_files(at: Seen, files: Sequence[str]) -> Iterator[Candidate]:
    """Yield the archives with a version in their names that only a script's data names."""
    for url in files[:_MOST]:
        family = _split(url)
        if family is not None and '"' not in family.head:
            form = url.replace(family.versions[0], "{version}")
            pattern = "^" + family.pattern.removeprefix(quoted(family.head))
            yield _candidate(at, _after(f"/{family.head}"), pattern, form, family=family)


def _after(mark: str) -> str:
    """Return what selects the text behind ``mark`` in the first script that has it.

    Scripts can be long, and an expression is tried on the beginning of a text alone.
    """
    return f'substring(substring-after(//script[contains(., "{mark}")], "{mark}"), 1, 200)'


def _in_scripts(scripts: Sequence[str], base: str) -> list[str]:
    """Return the archives' addresses in scripts, in their order."""
    found = [
        joined(base, address)
        for text in scripts
        for address in _ADDRESS.findall(text.replace("\\/", "/"))
        if ENDINGS.search(address)
    ]
    return list(dict.fromkeys(found))


def _split(url: str) -> Family | None:
    return next(iter(families([leaf(url)], files=True)), None)


def _candidate(
    at: Seen,
    xpath: str,
    pattern: str,
    file_url: str,
    *,
    notes: tuple[str, ...] = (),
    family: Family | None = None,
) -> Candidate:
    name = family.name if family else ENDINGS.sub("", unquote(leaf(file_url)))
    return Candidate(
        watch={
            "kind": "html",
            "url": at.url,
            "xpath": xpath,
            "pattern": pattern,
            "file_url": file_url,
            **(mangled(family) if family else {}),
        },
        name=at.name or usable_name(name, at.url),
        notes=(
            "the version stands in a text or a script's data of the page: look whether"
            f" watch.xpath selects it ({xpath})",
            *notes,
        ),
    )
