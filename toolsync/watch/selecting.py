"""Select from JSON by a JMESPath expression, at a cost that the page's size bounds.

Most expressions walk the page once, and their cost is plain. One that puts what it selects several
times into what it makes, and that into the next, can grow without bound; it runs in a process
that can be ended.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from toolsync.model.errors import SetupError
from toolsync.system.confined import confined

SECONDS, MEMORY = 5.0, 512 * 1024 * 1024
_MOST_TIMES = 64
"""How many times its input a plain expression may make."""
_MAKERS = frozenset({"multi_select_list", "multi_select_dict"})
_NAMES = """
contains ends_with keys length max max_by min min_by not_null reverse sort sort_by starts_with
to_number type values
"""
_FUNCTIONS = frozenset(_NAMES.split())
"""Those that give no more than they are given."""


def select(data: Any, path: str) -> Any:
    """Return what the expression selects.

    Raises SetupError for what is none, TooMuch for one that does not end, and what jmespath
    raises for data that it does not fit.
    """
    import jmespath
    from jmespath.exceptions import JMESPathError

    try:
        expression = jmespath.compile(path)
        times = _times(expression.parsed)
    except (JMESPathError, RecursionError) as error:
        raise SetupError(
            f"watch.path: {path} is no JMESPath expression: {' '.join(str(error).split())[:200]}",
            resolution="Mend watch.path in tool.toml; jmespath.org tells how they are written.",
        ) from error
    if times <= _MOST_TIMES:
        return expression.search(data)
    what = f"selecting {path[:200]} from the page"
    return confined(
        partial(_attempted, expression, data), what=what, seconds=SECONDS, memory=MEMORY
    )()


def _attempted(expression: Any, data: Any) -> Any:
    """Return a call that gives the selection or raises what jmespath raised, fit to be sent."""
    from jmespath.exceptions import JMESPathError

    try:
        return partial(_give, expression.search(data))
    except (JMESPathError, RecursionError, TypeError, ValueError) as error:
        return partial(_refuse, " ".join(str(error).split())[:500])


def _give(found: object) -> object:
    return found


def _refuse(words: str) -> Any:
    raise ValueError(words)


def _times(node: dict[str, Any]) -> int:
    """Return how many times its input an expression can make, at most; more than allowed: many."""
    kind, children = node["type"], [child for child in node["children"] if isinstance(child, dict)]
    if kind == "function_expression" and node["value"] not in _FUNCTIONS:
        return _MOST_TIMES + 1
    parts = [_times(child) for child in children]
    total = 1
    if kind in _MAKERS or kind == "function_expression":
        return max(1, sum(parts))
    for part in parts:
        total = min(total * part, _MOST_TIMES + 1)
    return total
