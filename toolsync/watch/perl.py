r"""Perl's regular expressions and substitutions, as watch files hold them.

They mean what they mean to Perl (perlre(1), perlop(1)) or are refused with the reason. Nothing
in them runs as code, and none runs for long: the engine is stopped after `SECONDS`. It is
the library ``regex``, which knows more of Perl than Python's own (flags in the middle,
POSIX classes, ``\K``, recursion) and which can be stopped.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from toolsync.errors import SetupError

SECONDS = 0.5
"""What one match may take; an honest one takes thousandths."""

_CLOSING = {"(": ")", "[": "]", "{": "}", "<": ">"}
_KEPT = frozenset("dDwWsSbBAntrfae0123456789pPRXNKHVv")
"""Letters and digits that mean the same after a backslash to Perl and to the library."""
_SIMPLE = {"Z": r"(?=\n?\Z)", "z": r"\Z", "h": r"[ \t]", "E": ""}


class Pattern:
    """A compiled expression that cannot run for ever."""

    def __init__(self, expression: str, what: str, flags: str = "") -> None:
        """``what`` names it in the SetupError that refuses it; ``flags`` are Perl's i, x, s, m."""
        import regex

        self.expression, self._what = expression, what
        try:
            bits = regex.V1 | _bits(flags)
            self._compiled = regex.compile(translated(expression), bits)
        except (regex.error, ValueError, OverflowError, RecursionError) as error:
            raise SetupError(
                f"{what}: {expression!r} is no regular expression that can be used: {error}",
                resolution="Mend it in debian/watch; perlre(1) tells the syntax.",
            ) from error

    @property
    def groups(self) -> int:
        """How many capturing groups it has."""
        return int(self._compiled.groups)

    def fullmatch(self, text: str) -> Any:
        """Return the match of the whole of ``text``, or None."""
        with _Stopped(self):
            return self._compiled.fullmatch(text, timeout=SECONDS)

    def finditer(self, text: str) -> Iterator[Any]:
        """Give each match in ``text``."""
        with _Stopped(self):
            yield from self._compiled.finditer(text, timeout=SECONDS)

    def substitute(self, text: str, put: Any, *, everywhere: bool) -> tuple[str, int]:
        """Return ``text`` with what matches replaced by ``put(match)``, and how often that was."""
        with _Stopped(self):
            done = self._compiled.subn(put, text, count=0 if everywhere else 1, timeout=SECONDS)
            return str(done[0]), int(done[1])

    def refusal(self) -> SetupError:
        """Return the error for an expression that took too long."""
        return SetupError(
            f"{self._what}: {self.expression!r} was stopped after {SECONDS} s; a pattern must"
            " not try the same characters in ever more ways",
            resolution=r"Do not repeat a repeat, as (\d+)+ does: write \d+, or [\d.]+ with dots.",
        )


class _Stopped:
    """Turns the engine's time-out into the sentence of refusal."""

    def __init__(self, pattern: Pattern) -> None:
        self._pattern = pattern

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, TimeoutError | MemoryError):
            raise self._pattern.refusal() from error


@dataclass(frozen=True, slots=True)
class Substitution:
    """A rule ``s/regex/replacement/flags``."""

    pattern: Pattern
    pieces: tuple[str | int, ...]
    everywhere: bool

    def apply(self, text: str) -> str:
        """Return the text after the rule."""
        return self.pattern.substitute(text, self._put, everywhere=self.everywhere)[0]

    def _put(self, match: Any) -> str:
        return "".join(p if isinstance(p, str) else match[p] or "" for p in self.pieces)


@dataclass(frozen=True, slots=True)
class Transliteration:
    """A rule ``tr/abc/ABC/flags`` (or ``y``)."""

    table: tuple[tuple[int, str], ...]

    def apply(self, text: str) -> str:
        """Return the text after the rule."""
        return text.translate(dict(self.table))


Rule = Substitution | Transliteration


def mangled(text: str, rules: tuple[Rule, ...]) -> str:
    """Return ``text`` after all rules, in order."""
    for rule in rules:
        text = rule.apply(text)
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
    """Give the texts and the groups' numbers of a replacement."""
    import re

    token = re.compile(
        r"\\(\d)|\$(\d+)|\$\{(\d+)\}|\$(&)|\\(.)|(\$(?=.)|\\)|([^\\$]+|\$)", re.DOTALL
    )
    for back, group, braced, whole, escaped, wrong, plain in token.findall(new):
        if back or group or braced:
            yield int(back or group or braced)
        elif whole:
            yield 0
        elif escaped and escaped in "ULEulQ":
            raise _fault(what, rule, f"has \\{escaped} in its replacement, which is not known here")
        elif wrong == "$":
            raise _fault(what, rule, "names a variable; only groups such as $1 may be named")
        else:
            yield {"n": "\n", "t": "\t"}.get(escaped, escaped) or plain or wrong


def _transliteration(rule: str, old: str, new: str, flags: str, what: str) -> Transliteration:
    if set(flags) - {"d"}:
        raise _fault(what, rule, f"has the flags {flags!r}; only d is known for tr")
    left, right = _spread(old), _spread(new)
    if "d" not in flags:
        right = (right or left) + (right or left)[-1:] * len(left)
    table = {ord(a): right[i : i + 1] for i, a in reversed(list(enumerate(left)))}
    return Transliteration(tuple(sorted(table.items())))


def _spread(text: str) -> str:
    """Write out the ranges of a tr/// list: ``a-e`` is ``abcde``."""
    import re

    def run(match: Any) -> str:
        return "".join(map(chr, range(ord(match[1]), min(ord(match[2]), 0x3000) + 1)))

    return re.sub(r"\\(.)", r"\1", re.sub(r"([^\\])-([^\\])", run, text))


def translated(expression: str) -> str:
    """Return a Perl expression in the library's words; raises ValueError for what has none."""
    out: list[str] = []
    at = 0
    while at < len(expression):
        if expression[at] == "\\":
            piece, at = _escape(expression, at)
        elif expression[at] == "[":
            piece, at = _set(expression, at)
        elif expression.startswith(("(?{", "(??{", "(*"), at):
            raise ValueError("it holds code or a verb for Perl's engine, which is never run")
        elif expression.startswith("(?^", at):
            piece, at = "(?", at + 3
        else:
            piece, at = expression[at], at + 1
        out.append(piece)
    return "".join(out)


def _escape(text: str, at: int) -> tuple[str, int]:
    """Translate what a backslash begins, outside of sets and within."""
    import re

    char = text[at + 1 : at + 2]
    if char == "Q":
        end = text.find("\\E", at)
        quoted = text[at + 2 :] if end < 0 else text[at + 2 : end]
        return re.escape(quoted), len(text) if end < 0 else end + 2
    code = re.compile(r"\\x\{([0-9A-Fa-f]{1,6})\}").match(text, at)
    if code:
        return re.escape(chr(int(code[1], 16))), code.end()
    back = re.compile(r"\\g(?:\{(\d+)\}|(\d+))").match(text, at)
    if back:
        return f"(?:\\{back[1] or back[2]})", back.end()
    named = re.compile(r"\\k(?:<(\w+)>|\{(\w+)\}|'(\w+)')").match(text, at)
    if named:
        return f"(?P={named[1] or named[2] or named[3]})", named.end()
    if char in ("G", "C", "c", "o"):
        raise ValueError(f"\\{char} is not known here")
    if char in _SIMPLE:
        return _SIMPLE[char], at + 2
    if char.isalnum() and char.isascii() and char not in _KEPT and char != "x":
        return char, at + 2  # to Perl, an unknown letter stands for itself
    return text[at : at + 2], at + 2


def _set(text: str, at: int) -> tuple[str, int]:
    """Translate ``[...]``, in which the library knows operators that Perl does not."""
    end = at + 1
    out = "["
    if text[end : end + 1] == "^":
        out, end = "[^", end + 1
    first = True
    while end < len(text):
        char = text[end]
        if char == "]" and not first:
            return out + "]", end + 1
        if char == "\\":
            piece, end = _escape(text, end)
            out += r"\ \t" if piece == _SIMPLE["h"] else piece
        elif text.startswith("[:", end) and ":]" in text[end:]:
            stop = text.index(":]", end) + 2
            out, end = out + text[end:stop], stop
        else:
            doubled = char == "-" and text[end + 1 : end + 2] == "-"
            out, end = out + ("\\" if char in "[]&|~" or doubled else "") + char, end + 1
        first = False
    raise ValueError("a set lacks its ]")


def _bits(flags: str) -> int:
    import regex

    known = {"i": regex.I, "x": regex.X, "s": regex.S, "m": regex.M}
    bits = 0
    for flag in flags:
        bits |= int(known[flag])
    return bits


def _fault(what: str, rule: str, why: str) -> SetupError:
    return SetupError(
        f"{what}: {rule[:200]!r} {why}",
        resolution="Mend it in debian/watch; rules look like s/regex/replacement/flags.",
    )
