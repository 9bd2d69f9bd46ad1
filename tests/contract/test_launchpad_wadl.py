"""What toolsync asks of Launchpad, and what the tests' Launchpad is, held to Launchpad's own word.

``tests/data/launchpad.wadl`` is what a genuine description of the API (version devel, December
2025) says of the types that are used here; `tests.tools.wadl` takes it from a newer one.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from lxml import etree

from tests.servers import launchpad_wadl
from tests.servers.launchpad_kinds import (
    BUILD_STATES,
    KINDS,
    PUBLICATION_STATES,
    SERIES_STATES,
    SETS,
)
from tests.tools.wadl import EXCERPT, excerpt
from toolsync.publish import follow
from toolsync.system import launchpad, launchpadvalues

_N = {"w": "http://research.sun.com/wadl/2006/10"}
SPPH, BPPH = "source_package_publishing_history", "binary_package_publishing_history"


@dataclass(frozen=True)
class Described:
    """One WADL, as far as a client depends on it."""

    operations: dict[str, dict[str, object]]
    """By ``TYPE-NAME``: HTTP's method, parameters with (required, options), what comes back."""
    representations: dict[str, dict[str, tuple[str | None, str | None]]]
    """By type: the attributes, each with the type that it links to, and its datatype."""


def described(root: etree._Element) -> Described:
    operations: dict[str, dict[str, object]] = {}
    for method in root.iterfind(".//w:method", _N):
        if not method.xpath(".//w:param[@name='ws.op']", namespaces=_N):
            continue
        result = method.find("w:response/w:representation", _N)
        operations[method.get("id")] = {
            "method": method.get("name"),
            "returns": "" if result is None else _fragment(result.get("href")),
            "parameters": {
                param.get("name"): (param.get("required") == "true", _options(param))
                for param in method.iterfind("w:request//w:param", _N)
            },
        }
    representations = {
        one.get("id"): {
            param.get("name"): (_linked(param), param.get("type"))
            for param in one.iterfind("w:param", _N)
        }
        for one in root.iterfind("w:representation", _N)
    }
    return Described(operations, representations)


def _options(param: etree._Element) -> tuple[str, ...]:
    return tuple(option.get("value") for option in param.iterfind("w:option", _N))


def _linked(param: etree._Element) -> str | None:
    link = param.find("w:link", _N)
    return None if link is None else _fragment(link.get("resource_type"))


def _fragment(address: str | None) -> str:
    return (address or "").rpartition("#")[2]


@pytest.fixture(scope="module")
def genuine() -> Described:
    return described(etree.parse(EXCERPT).getroot())


def test_the_loopback_describes_itself_as_launchpad_does(genuine: Described) -> None:
    """Every operation, parameter, choice, result, attribute and link of it is genuine."""
    ours = described(etree.fromstring(launchpad_wadl.document("http://launchpad/devel/")))
    answered = sum(len(kind.operations or ()) for kind in KINDS.values())
    assert len(ours.operations) == answered + len(SETS["archives"][1])
    for name, operation in ours.operations.items():
        assert operation == genuine.operations.get(name), name
    served = {n: r for n, r in ours.representations.items() if not n.endswith("-page")}
    assert set(served) == {"service-root-json", *(f"{kind}-full" for kind in KINDS)}
    for name, attributes in served.items():
        known = genuine.representations[name]
        assert attributes.items() <= known.items(), (name, attributes.items() - known.items())


def test_the_words_for_states_are_launchpads(genuine: Described) -> None:
    root = etree.parse(EXCERPT).getroot()

    def choices(kind: str, name: str) -> tuple[str, ...]:
        path = f".//w:representation[@id='{kind}-full']/w:param[@name='{name}']"
        return _options(root.find(path, _N))

    assert choices("build", "buildstate") == BUILD_STATES
    assert choices(SPPH, "status") == choices(BPPH, "status") == PUBLICATION_STATES
    assert choices("distro_series", "status") == SERIES_STATES
    assert {follow.BUILT} | follow.FAILED | follow.BUSY == set(BUILD_STATES)
    assert set(PUBLICATION_STATES) >= follow.GONE


def _calls(module: object) -> Iterator[tuple[str, set[str], bool]]:
    """Yield the calls of Launchpad's operations: name, arguments, and whether these are all."""
    for function in _functions(module):
        words = {
            key.value
            for made in ast.walk(function)
            if isinstance(made, ast.Dict)
            for key in made.keys
            if isinstance(key, ast.Constant) and isinstance(key.value, str)
        }
        words |= {
            str(made.slice.value)
            for made in ast.walk(function)
            if isinstance(made, ast.Subscript) and isinstance(made.slice, ast.Constant)
        }
        for call in ast.walk(function):
            if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute):
                name, given = call.func.attr, {word.arg for word in call.keywords if word.arg}
                whole = all(word.arg for word in call.keywords)
                if name != name.lower():
                    yield name, given if whole else given | words, whole


def _functions(module: object) -> Iterator[ast.FunctionDef]:
    tree = ast.parse(Path(str(module.__file__)).read_text())  # type: ignore[attr-defined]
    return (one for one in ast.walk(tree) if isinstance(one, ast.FunctionDef))


def test_toolsync_calls_what_there_is_by_its_names(genuine: Described) -> None:
    by_name: dict[str, dict[str, tuple[bool, object]]] = {}
    for key, operation in genuine.operations.items():
        by_name[key.rpartition("-")[2]] = dict(operation["parameters"])  # type: ignore[call-overload]
    called = list(_calls(launchpad))
    assert {"getPublishedSources", "getBuilds", "checkUpload", "copyPackage"} <= {
        name for name, _, _ in called
    }
    for name, given, whole in called:
        known = by_name[name]
        assert given <= set(known), (name, given - set(known))
        if whole:
            needed = {key for key, (required, _) in known.items() if required} - {"ws.op"}
            assert needed <= given, (name, needed - given)


def test_toolsync_reads_what_there_is_by_its_names(genuine: Described) -> None:
    """An attribute that does not exist would read as empty, and never be missed."""
    kinds = {
        "read_archive": ("archive",),
        "read_build": ("build",),
        "read_binary": (BPPH,),
        "read_publication": (SPPH,),
        "is_team": ("person", "team"),
        "keys": ("gpg_key",),
        "me": ("person",),
        "series": ("distro_series",),
        "architectures": ("distro_arch_series",),
    }
    seen = set()
    for module in (launchpad, launchpadvalues):
        for function in _functions(module):
            for call in ast.walk(function):
                if isinstance(call, ast.Call) and getattr(call.func, "id", "") in ("text", "value"):
                    word = call.args[1]
                    if not isinstance(word, ast.Constant):
                        continue  # text() itself
                    for kind in kinds[function.name]:
                        assert word.value in genuine.representations[f"{kind}-full"], word.value
                    seen.add(function.name)
    assert seen == set(kinds)
    collections = {
        call.args[0].attr
        for function in _functions(launchpad)
        for call in ast.walk(function)
        if isinstance(call, ast.Call)
        and getattr(call.func, "id", "") == "_all"
        and isinstance(call.args[0], ast.Attribute)
    }
    assert collections == {"gpg_keys", "series", "processors", "architectures"}
    known = {name for one in genuine.representations.values() for name in one}
    assert {f"{name}_collection_link" for name in collections} <= known


def test_the_excerpt_is_all_that_is_needed_of_a_description(genuine: Described) -> None:
    whole = etree.parse(EXCERPT).getroot()
    assert excerpt(whole) == EXCERPT.read_bytes()
    assert {f"{kind}-full" for kind in KINDS} <= set(genuine.representations)
