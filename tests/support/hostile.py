"""Makers of hostile input: expressions that explode, the texts that set them off, long runs.

``python -m tests.support.hostile 10000`` tries so many expressions, each as a definition's
pattern, as a watch file's and as a rule of both, on its own hostile text, and prints the slowest,
in seconds of processor time.
"""

from __future__ import annotations

import contextlib
import random
import sys
import time
from collections.abc import Callable, Iterator
from itertools import islice

from toolsync.model import versions
from toolsync.model.errors import SetupError
from toolsync.model.patterns import LONGEST_SUBJECT, compile_safely
from toolsync.watchfile.perl import Pattern
from toolsync.watchfile.rules import mangled, parse_rules

_ATOMS = ("a", "b", r"\d", r"\w", "[a-z]", ".", r"[\d.]", "[^/]", r"\.", "-", r"(?:ab)", r"\S")
_ENDS = ("x", "$", r"\.zip", "c", "!", r"(?=x)", "")
_WORDS = ("a", "1", "1.", "ab", "a-", "0", "aa", "1.1", ".", "-", "a1")


def expressions(seed: int) -> Iterator[tuple[str, str]]:
    """Give expressions that can explode, each with the text that it has most to do with."""
    chance = random.Random(seed)
    while True:
        body = chance.choice(_FORMS)(chance)
        word = chance.choice(_WORDS)
        text = word * (LONGEST_SUBJECT // len(word) - 1) + chance.choice("!/ \n~")
        head = chance.choice(("", "", "v?", "(?i:a?)", "tool-?"))
        yield f"{head}(?P<version>{body}){chance.choice(_ENDS)}", text


def _atom(chance: random.Random) -> str:
    return chance.choice(_ATOMS)


def _quantifier(chance: random.Random) -> str:
    low = chance.randrange(3)
    usual = ("*", "+", "*", "+", "*?", "+?", f"{{{low},}}", f"{{{low},{chance.randrange(3, 99)}}}")
    return chance.choice(usual)


def _nested(chance: random.Random) -> str:
    inner = _atom(chance) + _quantifier(chance)
    for _ in range(chance.randrange(1, 5)):
        extra = chance.choice(("", "", _atom(chance) + "?", _atom(chance) + "*"))
        inner = f"(?:{inner}{extra}){_quantifier(chance)}"
    return inner


def _alternatives(chance: random.Random) -> str:
    parts = [_atom(chance) * chance.randrange(1, 4) for _ in range(chance.randrange(2, 6))]
    return f"(?:{'|'.join(parts)}){_quantifier(chance)}"


def _in_a_row(chance: random.Random) -> str:
    return "".join(_atom(chance) + _quantifier(chance) for _ in range(chance.randrange(2, 12)))


def _perhaps(chance: random.Random) -> str:
    count, atom = chance.randrange(5, 40), _atom(chance)
    return f"(?:{atom}?){{{count}}}{atom}{{{count}}}"


def _repeating_itself(chance: random.Random) -> str:
    return rf"(?P<own>{_nested(chance)})(?P=own){_quantifier(chance)}"


def _looking_ahead(chance: random.Random) -> str:
    return f"(?:(?={_nested(chance)}){_atom(chance)}){_quantifier(chance)}"


def _mixed(chance: random.Random) -> str:
    inner = "".join(chance.choice(_FORMS[:4])(chance) for _ in range(chance.randrange(1, 4)))
    return f"(?:{inner}){_quantifier(chance)}"


_FORMS: tuple[Callable[[random.Random], str], ...] = (
    _nested, _alternatives, _in_a_row, _perhaps, _repeating_itself, _looking_ahead, _mixed,
)  # fmt: skip


def tried(expression: str, text: str) -> float:
    """Run an expression in each way that a definition or a watch file can; return the longest."""
    rule = f"s\x01{expression}\x01$1$1\x01"
    ways: tuple[Callable[[], object], ...] = (
        lambda: compile_safely(expression, what="watch.pattern").fullmatch(text),
        lambda: compile_safely(expression, what="watch.pattern").search(text),
        lambda: Pattern(expression, "debian/watch").fullmatch(text),
        lambda: versions.mangle(text[:90], (rule,)),
        lambda: mangled(text, parse_rules(rule, "debian/watch")),
    )
    longest = 0.0
    for way in ways:
        start = time.process_time()
        # Refused, or ended at its limit: it is told, and that is all that is wanted.
        with contextlib.suppress(SetupError, versions.NotAVersion):
            way()
        longest = max(longest, time.process_time() - start)
    return longest


def runs() -> Iterator[tuple[str, str]]:
    """Give long texts, by name, that set off expressions which try the same twice."""
    size = 40_000
    for name, piece in (
        ("blanks", " "), ("tabs", "\t"), ("lines", "\n"), ("blank lines", " \n"), ("dashes", "-"),
        ("letters", "a"), ("digits", "1"), ("dots", "."), ("commas", "a, "), ("quotes", "'"),
        ("pairs", "''"), ("double quotes", '"'), ("tags", "<"), ("open tags", "<a "),
        ("comments", "<!--"), ("brackets", "["), ("braces", "{"), ("parentheses", "("),
        ("stars", "*"), ("slashes", "/"), ("numbers", "1."), ("words", "a "), ("hashes", "#"),
        ("copyright", "copyright "), ("(c)", "(c) "), ("years", "2020, "), ("under", "under "),
        ("licensed", "licensed by a "), ("license", "license: "),
        ("in no event", "in no event shall "),
        ("provided by", "provided by "), ("creative", "under creative commons "),
        ("requires", "Requires-Dist: "), ("quoted", "'-a', "), ("equals", "a="), ("escapes", "\\"),
        ("options", "--a "), ("requirement", "a[" ), ("dollars", "${A"), ("path", "a/"),
    ):  # fmt: skip
        yield name, piece * (size // len(piece))


def main(count: int, seed: int = 13) -> None:
    """Print the slowest of so many expressions."""
    slowest: tuple[float, str] = (0.0, "")
    total = 0.0
    for expression, text in islice(expressions(seed), count):
        took = tried(expression, text)
        total += took
        slowest = max(slowest, (took, expression))
    sys.stdout.write(f"{count} expressions, {total:.0f} s in all\n")
    sys.stdout.write(f"slowest: {slowest[0]:.3f} s, {slowest[1]}\n")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 10_000)
