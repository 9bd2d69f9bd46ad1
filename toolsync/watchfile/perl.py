r"""Perl's regular expressions, as watch files hold them.

They mean what they mean to Perl (perlre(1)) or are refused with the reason. Nothing
in them runs as code, and none runs for long: the engine is stopped after `SECONDS`. It is
the library ``regex``, which knows more of Perl than Python's own (flags in the middle,
POSIX classes, ``\K``, recursion) and which can be stopped.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from toolsync.model.errors import SetupError

SECONDS = 0.5
"""What one match may take; an honest one takes thousandths."""

_KEPT = frozenset("dDwWsSbBAntrfa0123456789pPRXK")
"""Letters and digits that mean the same after a backslash to Perl and to the library."""
_SIMPLE = {
    "Z": r"(?=\n?\Z)", "z": r"\Z", "E": "", "e": r"\x1b", "N": r"[^\n]",
    "h": r"[ \t]", "H": r"[^ \t]", "v": r"[\n\x0b\f\r]", "V": r"[^\n\x0b\f\r]",
}  # fmt: skip
_NAMED = re.compile(r"\(\?'(\w+)'")


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
