"""Which runtimes each series carries, and whether a floor lies above them."""

from __future__ import annotations

import re
from collections.abc import Mapping

SERIES: Mapping[str, Mapping[str, str]] = {
    "bullseye": {"python": "3.9", "ruby": "2.7", "java": "11"},
    "bookworm": {"python": "3.11", "ruby": "3.1", "java": "17"},
    "trixie": {"python": "3.13", "ruby": "3.3", "java": "21"},
    "bionic": {"python": "3.6", "ruby": "2.5", "java": "11"},
    "focal": {"python": "3.8", "ruby": "2.7", "java": "11"},
    "jammy": {"python": "3.10", "ruby": "3.0", "java": "11"},
    "noble": {"python": "3.12", "ruby": "3.2", "java": "21"},
}
"""Default versions as these series were released (packages python3, ruby, default-jre)."""

_BOUND = re.compile(r"(>=|==|~=|~>|>|\^)\s*(\d+(?:\.\d+)*)")
_CEILING = re.compile(r"(<=?)\s*(\d+(?:\.\d+)*)")


def floor(spec: str) -> tuple[int, ...]:
    """Return the lowest version that a requirement such as ``>=3.9,<4`` allows."""
    bounds = [_numbers(version) for _, version in _BOUND.findall(spec)]
    return max(bounds, default=())


def raised(before: str, wanted: str) -> bool:
    """Say whether a requirement asks for more than before, or ends earlier."""
    ends, ended = _ceiling(wanted), _ceiling(before)
    return floor(wanted) > floor(before) or (ends is not None and (ended is None or ends < ended))


def carried(runtime: str, series: tuple[str, ...]) -> bool:
    """Say whether it is known of every series, of one at least, what it has of a runtime."""
    return bool(series) and all(runtime in SERIES.get(name, {}) for name in series)


def beyond(runtime: str, wanted: str, series: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    """Return the series, with their versions of a runtime, that a requirement leaves out."""
    ends = _ceiling(wanted)
    return tuple(
        (name, version)
        for name in series
        if (version := SERIES.get(name, {}).get(runtime))
        and (
            _numbers(version) < floor(wanted)[:2]
            or (ends is not None and _numbers(version) >= ends)
        )
    )


def _ceiling(spec: str) -> tuple[int, ...] | None:
    """Return the first version that a requirement forbids."""
    found = [
        (*numbers[:-1], numbers[-1] + 1) if sign == "<=" else numbers
        for sign, version in _CEILING.findall(spec)
        if (numbers := _numbers(version))
    ]
    return min(found, default=None)


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".")[:6])
