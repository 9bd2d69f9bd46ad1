"""The rules by which watch files change texts: Perl's ``s///``, ``tr///`` and ``y///``.

They mean what perlop(1) says, with any delimiters, or are refused with the reason. No rule runs
code, and none names anything but its own groups.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from toolsync.model.errors import SetupError
from toolsync.watchfile.perl import Pattern

_CASES: Mapping[str | int, Callable[[str], str]] = {
    "\\L": str.lower, "\\U": str.upper, "\\E": str, "\\l": str.lower, "\\u": str.upper,
}  # fmt: skip
"""Perl's case operators: the first two hold until the third, the others for one character."""
_ROOM, _GROWTH = 64 * 1024, 4
"""What rules may make of a text: so many characters, and so many times its own beyond them."""
_CLOSING = {"(": ")", "[": "]", "{": "}", "<": ">"}


@dataclass(frozen=True, slots=True)
class Substitution:
    """A rule ``s/regex/replacement/flags``."""

    pattern: Pattern
    pieces: tuple[str | int, ...]
    """Texts, numbers of groups, and Perl's case operators such as ``\\L``."""
    everywhere: bool

    def apply(self, text: str) -> str:
        """Return the text after the rule."""
        return self.pattern.substitute(text, self._put, everywhere=self.everywhere)[0]

    def _put(self, match: Any) -> str:
        out = once = kept = ""
        for piece in self.pieces:
            if len(out) > _ROOM + _GROWTH * len(match.string):
                break  # too long already, and refused for it
            if piece in _CASES:
                once, kept = (str(piece), kept) if piece in ("\\l", "\\u") else (once, str(piece))
                continue
            text = piece if isinstance(piece, str) else match[piece] or ""
            text = _CASES[kept](text) if kept else text
            if text and once:
                text, once = _CASES[once](text[0]) + text[1:], ""
            out += text
        return out


@dataclass(frozen=True, slots=True)
class Transliteration:
    """A rule ``tr/abc/ABC/flags`` (or ``y``)."""

    old: str
    new: str
    flags: frozenset[str]
    """Perl's: c (all characters but ``old``), d (delete what has no partner), s (squeeze)."""

    def apply(self, text: str) -> str:
        """Return the text after the rule."""
        partners = {char: self._partner(char) for char in set(text)}
        out: list[str] = []
        last = ""
        for char in text:
            new = partners[char]
            if new is None:
                out.append(char)
                last = ""
            elif new and not ("s" in self.flags and new == last):
                out.append(new)
                last = new
        return "".join(out)

    def _partner(self, char: str) -> str | None:
        """Return what replaces a character, itself perhaps; None where the rule is not for it."""
        at = self.old.find(char)
        if ("c" in self.flags) == (at >= 0):
            return None
        if 0 <= at < len(self.new):
            return self.new[at]
        return "" if "d" in self.flags else self.new[-1:] or char


Rule = Substitution | Transliteration


def mangled(text: str, rules: tuple[Rule, ...]) -> str:
    """Return ``text`` after all rules, in order; raises SetupError where they lengthen it much."""
    longest = _ROOM + _GROWTH * len(text)
    for rule in rules:
        text = rule.apply(text)
        if len(text) > longest:
            raise SetupError(
                f"debian/watch: its rules make more than {longest} characters of fewer",
                resolution="Mend the mangle rules: each may lengthen what the one before it made.",
            )
    return text


@lru_cache(maxsize=512)
def parse_rules(text: str, what: str) -> tuple[Rule, ...]:
    """Return the rules in ``text``, separated by semicolons; raises SetupError naming ``what``."""
    rules: list[Rule] = []
    at = 0
    while at < len(text):
        if text[at] in "; \t\n":
            at += 1
            continue
        rule, at = _rule(text, at, what)
        rules.append(rule)
    return tuple(rules)


def _rule(text: str, at: int, what: str) -> tuple[Rule, int]:
    start = at
    word = next((w for w in ("tr", "s", "y") if text.startswith(w, at)), "")
    at += len(word)
    delimiter = text[at : at + 1]
    if not word or not delimiter or delimiter.isalnum() or delimiter in "_ \\;":
        raise _fault(what, text[start:], "is no rule: it starts neither with s/ nor with tr/ or y/")
    first, at = _part(text, at, what)
    if delimiter in _CLOSING:
        while text[at : at + 1].isspace():
            at += 1
        second, at = _part(text, at, what)
    else:
        second, at = _part(text, at - 1, what)
    end = at
    while text[end : end + 1].isalnum():
        end += 1
    flags, rest = text[at:end], text[end:].lstrip()
    if rest and not rest.startswith(";"):
        raise _fault(what, text[start:], f"goes on with {rest[:20]!r} after its end")
    if word == "s":
        return _substitution(text[start:end], first, second, flags, what), end
    return _transliteration(text[start:end], first, second, flags, what), end


def _part(text: str, at: int, what: str) -> tuple[str, int]:
    """Return what stands between the delimiter at ``at`` and its partner, and where that ends."""
    opening = text[at : at + 1]
    closing, depth, end = _CLOSING.get(opening, opening), 1, at + 1
    while opening and end < len(text):
        char = text[end]
        if char == "\\":
            end += 1
        elif char == closing:
            depth -= 1
            if not depth:
                return text[at + 1 : end], end + 1
        elif char == opening:
            depth += 1
        end += 1
    raise _fault(what, text, f"lacks the {closing or '/'!r} that ends a part")


def _substitution(rule: str, regex: str, new: str, flags: str, what: str) -> Substitution:
    code = set(flags) & set("er")
    if code:
        raise _fault(what, rule, f"has the flag {min(code)}: a rule must not run code")
    if set(flags) - set("gixsm"):
        raise _fault(what, rule, f"has the flags {flags!r}; known are g, i, x, s and m")
    pattern = Pattern(regex, what, flags.replace("g", ""))
    pieces = tuple(_pieces(new, rule, what))
    if any(isinstance(p, int) and p > pattern.groups for p in pieces):
        raise _fault(what, rule, "names a group in its replacement that its regex does not have")
    return Substitution(pattern, pieces, "g" in flags)


def _pieces(new: str, rule: str, what: str) -> Iterator[str | int]:
    r"""Yield the texts and the groups' numbers of a replacement.

    As in uscan(1), a backslash is dropped before any character but l, u, L, U and E, also before
    a group: ``\$1`` is the group, and ``\1`` is a 1.
    """
    token = re.compile(
        r"\\([ULEul])|\\?\$(?:(\d)|\{(\d)\}|(&))|\\(.)|(\$(?=[\w{]))|([^\\$]+|[$\\])", re.DOTALL
    )
    for case, group, braced, whole, escaped, variable, plain in token.findall(new):
        if group or braced or whole:
            yield int(group or braced or 0)
        elif variable:
            raise _fault(what, rule, "names a variable; only groups such as $1 may be named")
        else:
            yield f"\\{case}" if case else escaped or plain


def _transliteration(rule: str, old: str, new: str, flags: str, what: str) -> Transliteration:
    if set(flags) - set("cds"):
        raise _fault(what, rule, f"has the flags {flags!r}; only c, d and s are known for tr")
    return Transliteration(_spread(old), _spread(new), frozenset(flags))


def _spread(text: str) -> str:
    """Write out the ranges of a tr/// list: ``a-e`` is ``abcde``."""

    def run(match: Any) -> str:
        return "".join(map(chr, range(ord(match[1]), min(ord(match[2]), 0x3000) + 1)))

    return re.sub(r"\\(.)", r"\1", re.sub(r"([^\\])-([^\\])", run, text))


def _fault(what: str, rule: str, why: str) -> SetupError:
    return SetupError(
        f"{what}: {rule[:200]} {why}",
        resolution="Mend it in debian/watch; rules look like s/regex/replacement/flags.",
    )
