"""Read Ruby sources without running them: OptionParser, GetoptLong, ENV, and what they require.

Ruby cannot be parsed from here, so declarations are known by their shape.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from toolsync.compat.options import Option, spellings, tamed

_STRING = r"(?:'[^'\n]{0,200}'|\"[^\"\n]{0,200}\")"
_STRINGS = rf"({_STRING}(?:\s*,\s*{_STRING}){{0,3}})"
_DECLARED = re.compile(
    r"\b(?:on|on_head|on_tail|def_option|define|opt|option|switch|method_option)\b[ \t]*\(?\s*"
    + _STRINGS
)
_GETOPTLONG = re.compile(rf"\[\s*{_STRINGS}\s*,\s*GetoptLong::(NO)?")
_ARGV = re.compile(r"\bARGV\b[^\n]{0,80}?['\"](--?[A-Za-z][\w-]*)['\"]")
_WHEN = re.compile(r"(?m)^[ \t]*when\s+((?:['\"]--?[\w-]+['\"]\s*,?\s*)+)")
_ENV = re.compile(r"\bENV(?:\[|\.fetch\(|\.key\?\(|\.include\?\()\s*['\"](\w+)['\"]")
_REQUIRE = re.compile(r"(?m)^[ \t]*(require|require_relative|load)\s*\(?\s*['\"]([\w./-]+)['\"]")
_COMMENT = re.compile(r"(?m)^[ \t]*#.*$")


@dataclass(frozen=True, slots=True)
class Source:
    """What one Ruby file tells."""

    options: tuple[Option, ...]
    environment: frozenset[str]
    requires: tuple[tuple[str, bool], ...]
    """Names required, and whether relative to the file."""


def read(text: str) -> Source:
    """Return what a source tells."""
    code = _COMMENT.sub("", tamed(text))
    return Source(
        options=tuple(_options(code)),
        environment=frozenset(_ENV.findall(code)),
        requires=tuple((name, how == "require_relative") for how, name in _REQUIRE.findall(code)),
    )


def _options(code: str) -> Iterator[Option]:
    """Yield the options of OptionParser, GetoptLong, ARGV and ``when``."""
    for match in _DECLARED.finditer(code):
        words = [part[1:-1] for part in re.findall(_STRING, match[1])]
        named = [word for word in words if re.match(r"--?[A-Za-z\[]", word)]
        if not named or not words[0].startswith("-"):
            continue
        value = any(re.search(r"[\s=\[]+[A-Z<\[](?!no-)", word) for word in named)
        for word in named:
            for name in spellings(word.split("=")[0].split()[0]):
                yield Option(name=name, takes="value" if value else "")
    for match in _GETOPTLONG.finditer(code):
        for word in re.findall(_STRING, match[1]):
            for name in spellings(word[1:-1]):
                yield Option(name=name, takes="flag" if match[2] else "value")
    for match in _ARGV.finditer(code):
        yield Option(name=match[1])
    for match in _WHEN.finditer(code):
        for word in re.findall(r"--?[\w-]+", match[1]):
            yield Option(name=word)
