"""Read shell scripts without running them: options in case, getopt and getopts; environment."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from toolsync.compat.options import Option, spellings, tamed

_COMMENT = re.compile(r"(?m)^[ \t]*#.*$")
_LABEL = r"['\"]?-[\w-]+=?\*?['\"]?"
_CASE = re.compile(rf"(?m)^[ \t]*\(?[ \t]*((?:{_LABEL}[ \t]*\|[ \t]*)*{_LABEL})[ \t]*\)")
_GETOPTS = re.compile(r"\bgetopts\s+['\"]?:?([A-Za-z0-9:]+)['\"]?\s+\w+")
_GETOPT = re.compile(r"\bgetopt\b([^\n;|]{1,400})")
_TESTED = re.compile(r"\[{1,2}\s+['\"]?\$\{?[1-9@*][^\]\n]{0,40}={1,2}\s*['\"]?(--?[A-Za-z][\w-]*)")
_USED = re.compile(r"\$(?:\{#?([A-Z][A-Z0-9_]{2,})|([A-Z][A-Z0-9_]{2,}))")
_SET = re.compile(
    r"(?m)(?:^|[;&|(]|\b(?:export|local|readonly|declare|for|read))\s*([A-Z][A-Z0-9_]{2,})"
    r"(?==|\s+in\b)"
)
_DEFAULTED = re.compile(r"\$\{([A-Z][A-Z0-9_]{2,}):?[-=?+]")
_WORD = re.compile(r"(?<![\w./+-])[\w.+-]*/[\w./+-]+")


@dataclass(frozen=True, slots=True)
class Source:
    """What one shell script tells."""

    options: tuple[Option, ...]
    environment: frozenset[str]
    paths: tuple[str, ...]
    """Words with a slash, among which are the files that it runs."""


def read(text: str) -> Source:
    """Return what a script tells."""
    code = _COMMENT.sub("", tamed(text))
    own = set(_SET.findall(code)) - set(_DEFAULTED.findall(code))
    used = {one or other for one, other in _USED.findall(code)}
    return Source(
        options=tuple(_options(code)),
        environment=frozenset(used - own),
        paths=tuple(dict.fromkeys(word.lstrip("./") for word in _WORD.findall(code))),
    )


def _options(code: str) -> Iterator[Option]:
    for match in _CASE.finditer(code):
        for part in match[1].replace('"', "").replace("'", "").split("|"):
            for name in spellings(part.strip().rstrip("*=")):
                yield Option(name=name, takes="value" if part.strip().endswith("=*") else "")
    for match in _GETOPTS.finditer(code):
        for letter, value in re.findall(r"([A-Za-z0-9])(:?)", match[1]):
            yield Option(name=f"-{letter}", takes="value" if value else "flag")
    for match in _GETOPT.finditer(code):
        yield from _getopt(match[1])
    for match in _TESTED.finditer(code):
        yield Option(name=match[1])


def _getopt(words: str) -> Iterator[Option]:
    """Yield the options of a getopt(1) command line: ``-o ab: --long alpha,beta:``."""
    for short in re.findall(r"(?:-o|--options)[ =]+['\"]?\+?:?([A-Za-z0-9:]+)", words):
        for letter, value in re.findall(r"([A-Za-z0-9])(:?)", short):
            yield Option(name=f"-{letter}", takes="value" if value else "flag")
    for group in re.findall(r"(?:-l|--long(?:options)?)[ =]+['\"]?([\w:,-]+)", words):
        for word, value in re.findall(r"([\w-]+)(:?)", group):
            yield Option(name=f"--{word}", takes="value" if value else "flag")
