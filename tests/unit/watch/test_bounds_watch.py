"""What a definition's expressions and rules may cost, whatever stands on the page."""

from __future__ import annotations

import ast
import contextlib
import os
import random
import re
import sys
import time
from collections.abc import Callable
from itertools import islice
from pathlib import Path

import pytest

from tests.support.hostile import _ATOMS, _quantifier, expressions, tried
from tests.support.watching import Watcher
from toolsync.model import versions
from toolsync.model.engine import SECONDS
from toolsync.model.errors import SetupError
from toolsync.model.linear import is_linear
from toolsync.model.patterns import LONGEST_SUBJECT, compile_safely, match_path
from toolsync.system.effort import Effort
from toolsync.watchfile.perl import Pattern
from toolsync.watchfile.rules import mangled, parse_rules

COUNT = int(os.environ.get("TOOLSYNC_EXPRESSIONS", "60"))
"""`make bench-bounds` tries ten thousand."""
EXPLODING = [
    r"(\d+)+x", r"(.*)*y", r"(a|aa)+$", r"(?:[\d.]+-?)+z", r"(\w+\s?)*:", r"(?:a|b|ab)*c",
    r"(?:\d|\.|\d\.)+x", r"(?:a{1,31}){1,31}b", r"(?:a?){60}a{60}", r"(?:(?:a*)*)*b", r"(?:a|a)*b",
    r"(?:.|\d)*z", r"(?:\w|\d)+!", r"(?:a{0,20}){20}b", r"(a*)*\1b", r"(?:(?=(a+))a)*b",
    r"\d+\d+\d+\d+\d+x", r"(?:a+b?)+c", r"(?:1\.?|1)*x", r"(?i:a|A)*b", r"(?:ab?|a)*c",
    r"(?:\d\d?)*x",
]  # fmt: skip
TEXTS = ["a" * 1000 + "!", "1" * 1000 + "!", "1." * 500 + "!", "ab" * 500 + "!"]


def cost(work: Callable[[], object]) -> float:
    start = time.process_time()
    with contextlib.suppress(SetupError, versions.NotAVersion):
        work()
    return time.process_time() - start


def test_no_expression_takes_longer_than_its_limit() -> None:
    for expression, text in islice(expressions(13), COUNT):
        assert tried(expression, text) < 2 * SECONDS + 0.3, expression


@pytest.mark.parametrize("expression", EXPLODING)
def test_an_exploding_pattern_is_stopped_or_harmless(expression: str) -> None:
    pattern = compile_safely(expression, what="watch.pattern")
    for text in TEXTS:
        assert cost(lambda: pattern.fullmatch(text)) < 2 * SECONDS + 0.1, text  # noqa: B023
        assert cost(lambda: pattern.search(text)) < 2 * SECONDS + 0.1, text  # noqa: B023


def test_what_is_called_linear_is_quick_in_pythons_own_engine() -> None:
    chance, proved = random.Random(4), 0
    for number in range(4000):
        parts = [
            chance.choice(_ATOMS) + chance.choice(("", "", _quantifier(chance)))
            for _ in range(chance.randrange(1, 6))
        ]
        inner = "".join(parts[: chance.randrange(len(parts) + 1)])
        expression = f"(?:{inner}){_quantifier(chance)}" + "".join(parts[len(inner) :])
        expression = "".join(parts) if number % 2 else expression
        if not is_linear(expression):
            continue
        proved += 1
        compiled = re.compile(expression)
        for text in TEXTS:
            assert cost(lambda: compiled.fullmatch(text)) < 0.02, (expression, text)  # noqa: B023
    assert proved > 500


@pytest.mark.parametrize("expression", EXPLODING)
def test_none_that_explodes_is_called_linear(expression: str) -> None:
    assert not is_linear(expression)


@pytest.mark.parametrize(
    ("expression", "texts"),
    [
        (r"(?P<version>\d+(?:\.\d+)*)\.zip", ["1.2.zip", "1.zip", ".zip", "1..zip", "1.2.zip\n"]),
        (r"a{e}(?P<version>\d)", ["a{e}1", "a1", "b{e}1"]),
        (r"[^-_a-c]+(?P<version>[1-3]{,2})", ["d", "d12", "-1", "d123"]),
        (r"(?i)TOOL-(?P<version>\d+)", ["tool-1", "Tool-12", "tool-"]),
        (r"(?P<version>\d{2}|\d{3}x)?y", ["12y", "123xy", "y", "123y"]),
        (r"(?P<version>(?<=-)\d+|v\d+)", ["1", "v1"]),
    ],
)
def test_both_engines_say_what_python_says(expression: str, texts: list[str]) -> None:
    ours = compile_safely(expression, what="watch.pattern")
    for text in texts:
        own = re.compile(expression).fullmatch(text)
        for match in (ours.fullmatch(text), ours._stoppable.fullmatch(text)):
            assert (match and match.groupdict()) == (own and own.groupdict()), text


@pytest.mark.parametrize("times", [2, 40])
def test_rules_that_double_a_text_are_refused(times: int) -> None:
    rule = "s/(.*)/$1$1/"
    start = time.monotonic()
    with pytest.raises(versions.NotAVersion):
        versions.mangle("1" * 60, (rule,) * times)
    if times > 16:
        with pytest.raises(SetupError, match="characters"):
            mangled("1.0", parse_rules(";".join([rule] * times), "debian/watch"))
    assert time.monotonic() - start < 1


def test_one_rule_that_makes_very_much_is_refused() -> None:
    with pytest.raises(SetupError, match="characters"):
        mangled("a" * 100_000, parse_rules("s/a/" + "$&" * 5000 + "/g", "debian/watch"))
    with pytest.raises(SetupError, match="characters"):
        mangled("a" * 1_000_000, parse_rules("s/(.*)/" + "$1" * 5000 + "/", "debian/watch"))


def test_a_transliteration_of_a_large_page_is_linear() -> None:
    rules = parse_rules("tr/a-z/A-Z/", "debian/watch")
    assert cost(lambda: mangled("page " * 1_000_000, rules)) < 5


def test_a_pattern_that_calls_itself_is_refused() -> None:
    for expression in (r"(?:(?R)?a)+b", r"(a(?1)?)", r"(?<a>b(?&a)?)"):
        with pytest.raises(SetupError, match="calls itself"):
            Pattern(expression, "debian/watch")


def test_all_matches_of_one_look_have_one_limit() -> None:
    pattern = compile_safely(r"(?:a{1,9}){1,9}b", what="watch.pattern")
    with Effort(0.5):
        for _ in range(3):
            with contextlib.suppress(SetupError):
                pattern.fullmatch("a" * 900)
        start = time.monotonic()
        with pytest.raises(SetupError, match=r"those before it were stopped after 0\.5 s"):
            pattern.fullmatch("a" * 900)
        assert time.monotonic() - start < 0.1


def test_a_page_of_hostile_links_does_not_hang_a_look() -> None:
    links = "".join(f"<a href='{'a' * 60}{number}'>x</a>" for number in range(5000))
    with Watcher() as upstream:
        upstream.web.serve("/", f"<!DOCTYPE html><html><body>{links}</body></html>")
        start = time.monotonic()
        with pytest.raises(SetupError, match="stopped"):
            upstream.look(kind="html", pattern=r"(?P<version>(?:a{1,31}){1,31})b")
        assert time.monotonic() - start < 5


def test_very_long_names_are_told_by_their_last_component() -> None:
    pattern = compile_safely(r"a-(?P<version>\d+)\.zip", what="watch.pattern")
    assert pattern.fullmatch("a-1.zip")
    assert match_path(pattern, "/" + "x/" * LONGEST_SUBJECT + "a-1.zip")


def test_no_private_module_of_the_standard_library_is_imported() -> None:
    root = Path(__file__).parents[3] / "toolsync"
    for path in sorted(root.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and not node.level:
                names = [f"{node.module}.{alias.name}" for alias in node.names]
            else:
                continue
            for name in names:
                first, *rest = name.split(".")
                if first in sys.stdlib_module_names and first != "__future__":
                    assert not any(part.startswith("_") for part in (first, *rest)), (path, name)
