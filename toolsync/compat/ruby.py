"""Read Ruby sources without running them: OptionParser, GetoptLong, ENV, and what they require.

Ruby cannot be parsed from here, so declarations are known by their shape.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
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
_CLASS = re.compile(r"(?m)^[ \t]*class\s+(?:[A-Z]\w*::)*([A-Z]\w*)")
_MODULE = re.compile(r"(?m)^[ \t]*module\s+(?:[A-Z]\w*::)*([A-Z]\w*)")
_NAME = re.compile(r"\b[A-Z]\w*")
_GUARD = re.compile(
    r"(?ms)^if\s+(?:__FILE__\s*==\s*\$(?:0|PROGRAM_NAME)|\$(?:0|PROGRAM_NAME)\s*==\s*__FILE__)"
    r".*?^end\b"
)
"""What runs only where the file is the program, and not where another file requires it."""
_BY_TEXT = re.compile(r"\b(?:const_get|constantize|inherited|subclasses|ObjectSpace|autoload)\b")
"""By these a class may be used though nobody names it."""
_COMMENT = re.compile(r"(?m)^[ \t]*#.*$")


@dataclass(frozen=True, slots=True)
class Source:
    """What one Ruby file tells."""

    options: tuple[Option, ...]
    environment: frozenset[str]
    requires: tuple[tuple[str, bool], ...]
    """Names required, and whether relative to the file."""
    defines: frozenset[str]
    """Its classes; its modules where it has none, which else only hold the classes."""
    uses: frozenset[str]
    """Classes, modules and constants that it names where it is required."""
    runs: frozenset[str]
    """The same where it is the program itself."""
    by_text: bool
    """Whether it may use classes that it does not name."""


def read(text: str) -> Source:
    """Return what a source tells."""
    code = _COMMENT.sub("", tamed(text))
    return Source(
        options=tuple(_options(code)),
        environment=frozenset(_ENV.findall(code)),
        requires=tuple((name, how == "require_relative") for how, name in _REQUIRE.findall(code)),
        defines=frozenset(_CLASS.findall(code) or _MODULE.findall(code)),
        uses=frozenset(_NAME.findall(_GUARD.sub("", code))),
        runs=frozenset(_NAME.findall(code)),
        by_text=bool(_BY_TEXT.search(code)),
    )


def reached(sources: Mapping[str, Source], programs: Iterable[str]) -> frozenset[str]:
    """Return which of the files a program makes use of, by their names; ``programs`` are run.

    Requiring a file brings its classes, and with them options that are another command's: those
    of a class count where somebody on the way from the program names the class.
    """
    if any(source.by_text for source in sources.values()):
        return frozenset(sources)
    done: set[str] = set()
    queue = [*programs, *(name for name, source in sources.items() if not source.defines)]
    named: set[str] = set()
    while queue:
        name = queue.pop()
        if name in done:
            continue
        done.add(name)
        named |= sources[name].runs if name in programs else sources[name].uses
        queue += [other for other, source in sources.items() if source.defines & named]
    return frozenset(done)


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
