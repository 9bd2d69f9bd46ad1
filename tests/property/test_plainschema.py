"""What is plainly right by the quick look is right by the full validator, too."""

from __future__ import annotations

import copy
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from toolsync.config.plainschema import plainly_holds
from toolsync.setup.settings import SETTINGS
from toolsync.setup.tools import TOOLS

CONF = Path(__file__).parents[2] / "conf"
SHIPPED = sorted(CONF.glob("tools/*/tool.toml"))


TOOL, CONFIG = TOOLS.schema, SETTINGS.schema
SHIPPED_TOOLS = [tomllib.loads(path.read_text()) for path in SHIPPED]


@pytest.mark.parametrize("raw", SHIPPED_TOOLS, ids=[path.parent.name for path in SHIPPED])
def test_what_is_shipped_is_plain(raw: dict[str, Any]) -> None:
    assert plainly_holds(TOOL, raw)


def test_settings_are_plain() -> None:
    raw = tomllib.loads((CONF / "toolsync.toml").read_text())
    assert plainly_holds(CONFIG, raw)


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield path
    keys = value if isinstance(value, dict) else range(len(value)) if type(value) is list else ()
    for key in keys:
        yield from places(value[key], (*path, key))


values = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 70) | st.floats() | st.text(max_size=6)
    | st.sampled_from(["html", "all", "openpgp", "3 days", "s/a/b/", "1.0", "https://h/x"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=5,
)  # fmt: skip


@st.composite
def altered(draw: st.DrawFn) -> Any:
    """Return a shipped definition in which a value is another, or a key too many."""
    raw = copy.deepcopy(draw(st.sampled_from(SHIPPED_TOOLS)))
    for _ in range(draw(st.integers(1, 3))):
        *above, last = draw(st.sampled_from([place for place in places(raw) if place]))
        owner: Any = raw
        for key in above:
            owner = owner[key]
        if isinstance(owner, dict) and draw(st.booleans()):
            last = draw(st.sampled_from([*owner, "odd", "pattern", "epoch", "series", "mangle"]))
        owner[last] = draw(values)
        if isinstance(owner, dict) and draw(st.integers(0, 4)) == 0:
            del owner[last]
    return raw


@settings(max_examples=500, deadline=None)
@given(altered())
def test_nothing_that_the_validator_refuses_is_plain(raw: Any) -> None:
    if plainly_holds(TOOL, raw):
        assert not list(Draft202012Validator(TOOL).iter_errors(raw))


@pytest.mark.parametrize("wanted", [{"uniqueItems": True}, {"type": "null"}, {"$ref": "#"}])
def test_what_is_not_known_here_is_never_plain(wanted: dict[str, Any]) -> None:
    assert not plainly_holds(wanted, [1, 1])
    assert not plainly_holds(wanted, None)


@pytest.mark.parametrize("value", [True, 1.0])
def test_one_is_not_another_type_of_one(value: object) -> None:
    assert not plainly_holds({"enum": [1]}, value)
    assert not plainly_holds({"type": "integer"}, value)
    assert not plainly_holds({"const": 1}, value)
