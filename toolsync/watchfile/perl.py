r"""Perl's regular expressions, as watch files hold them.

They mean what they mean to Perl (perlre(1)) or are refused with the reason. Nothing
in them runs as code, and none runs for long: the engine (`engine`) is stopped. It knows more of
Perl than Python's own (flags in the middle, POSIX classes, ``\K``).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import suppress

from toolsync.model.engine import Engine
from toolsync.model.errors import SetupError
from toolsync.model.linear import is_linear

_KEPT = frozenset("dDwWsSbBAntrfa0123456789pPRXK")
"""Letters and digits that mean the same after a backslash to Perl and to the library."""
_SIMPLE = {
    "Z": r"(?=\n?\Z)", "z": r"\Z", "E": "", "e": r"\x1b", "N": r"[^\n]",
    "h": r"[ \t]", "H": r"[^ \t]", "v": r"[\n\x0b\f\r]", "V": r"[^\n\x0b\f\r]",
}  # fmt: skip
_NAMED = re.compile(r"\(\?'(\w+)'")
_CALL = re.compile(r"\(\?(?:R|[-+]?\d|&|P>)")
"""A call of the expression, or of a part of it: it takes memory without bound."""


class Pattern(Engine):
    """A compiled expression that cannot run for ever.

    What is proved to take linear time is run by Python's own engine, as a tool.toml's is.
    """

    def __init__(self, expression: str, what: str, flags: str = "") -> None:
        """``what`` names it in the SetupError that refuses it; ``flags`` are Perl's i, x, s, m."""
        import regex

        try:
            meant = translated(expression)
        except ValueError as error:
            raise SetupError(
                f"{what}: {expression[:500]} is no regular expression that can be used: {error}",
                resolution="Mend it in debian/watch; perlre(1) tells the syntax.",
            ) from error
        self._quick: re.Pattern[str] | None = None
        if not flags and is_linear(meant):
            with suppress(re.error):  # what only the other engine takes: a repeated ``$``
                self._quick = re.compile(meant)
        later = self._quick is not None
        super().__init__(meant, what, regex.V1 | _bits(flags), told=expression, later=later)

    @property
    def groups(self) -> int:
        """How many capturing groups it has."""
        return self._quick.groups if self._quick else super().groups

    def fullmatch(self, text: str) -> re.Match[str] | None:
        """Return the match of the whole of ``text``, or None."""
        return self._quick.fullmatch(text) if self._quick else super().fullmatch(text)

    def fullmatches(self, texts: Sequence[str]) -> list[re.Match[str] | None]:
        """Return what `fullmatch` gives for each of many texts."""
        return [*map(self._quick.fullmatch, texts)] if self._quick else super().fullmatches(texts)


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
        elif _CALL.match(expression, at):
            raise ValueError("it calls itself or a part of itself, which has no bound")
        elif named := _NAMED.match(expression, at):
            piece, at = f"(?P<{named[1]}>", named.end()
        elif expression.startswith("(?^", at):
            piece, at = "(?", at + 3
        else:
            piece, at = expression[at], at + 1
        out.append(piece)
    return "".join(out)


def _escape(text: str, at: int) -> tuple[str, int]:
    """Translate what a backslash begins, outside of sets and within."""
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
    if char in ("G", "C", "c", "o", "g") or text.startswith("\\N{", at):
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
            char = text[end + 1 : end + 2]
            piece, end = _escape(text, end)
            if char in ("H", "V", "N"):
                raise ValueError(f"\\{char} is not known here within [...]")
            # Brackets within brackets would be a set of their own; a space ends no set under x.
            out += piece[1:-1].replace(" ", "\\ ") if char in ("h", "v") else piece
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
