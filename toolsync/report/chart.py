"""Compute the charts of lag over time; ``chart.html.j2`` draws them as SVG.

A bar is one publication. Its height is the lag on a logarithmic scale, since an hour and a month
have to be seen side by side.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from toolsync.report.lag import in_words
from toolsync.system.headers import plain

_LEAST, _MOST = 60.0, 365 * 86400.0
"""The scale's ends in seconds: a minute and a year."""
_LINES = ((3600.0, "1 h"), (86400.0, "1 day"), (7 * 86400.0, "1 week"), (30 * 86400.0, "30 days"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """One release's way from upstream to apt."""

    version: str
    at: str
    """When it could be installed, ISO 8601."""
    seconds: float
    """Its lag."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """A rectangle of the chart, in the drawing's own units; ``y`` counts from the top."""

    x: float
    y: float
    width: float
    height: float
    title: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """What a macro of ``chart.html.j2`` draws."""

    label: str
    """The chart in words, for a reader who does not see it."""
    bars: tuple[Bar, ...]
    date: str = ""
    """The day below the last bar, empty where there is no room for it."""
    end: float = 0.0
    """Where that bar ends."""


def small(points: Sequence[Point]) -> Chart:
    """Return a chart for a table's cell, 100 by 24: the last dozen releases, without an axis."""
    shown = points[-12:]
    bars = tuple(_bars(shown, left=0, step=8.3, bottom=23, tallest=22))
    return Chart(label=_label(f"lag of the last {len(shown)} releases", shown), bars=bars)


def large(points: Sequence[Point]) -> Chart:
    """Return a chart with a scale and a date, 640 by 180: the last forty releases."""
    shown = points[-40:]
    step = 570 / max(len(shown), 8)
    bars = tuple(_bars(shown, left=64, step=step, bottom=150, tallest=140))
    end = round(bars[-1].x + bars[-1].width, 1) if bars else 0.0
    return Chart(
        label=_label("lag from upstream's release to installable", shown),
        bars=bars,
        date=plain(shown[-1].at, 10) if end > 260 else "",
        end=end,
    )


def scale() -> list[tuple[float, str]]:
    """Return the lines of the large chart's scale: how far below its top, and what each means."""
    return [(round(150 - 140 * _fraction(seconds), 1), words) for seconds, words in _LINES]


def _bars(
    points: Sequence[Point], *, left: float, step: float, bottom: float, tallest: float
) -> Iterator[Bar]:
    for place, point in enumerate(points):
        height = round(max(2.0, tallest * _fraction(point.seconds)), 1)
        yield Bar(
            x=round(left + place * step, 1),
            y=round(bottom - height, 1),
            width=round(step * 0.7, 1),
            height=height,
            title=plain(f"{point.version}: {in_words(point.seconds)}", 200),
        )


def _label(title: str, points: Sequence[Point]) -> str:
    if not points:
        return f"{title}: none yet"
    spans = sorted(point.seconds for point in points)
    middle, last = in_words(spans[len(spans) // 2]), in_words(points[-1].seconds)
    return plain(f"{title}: {middle} in the middle, {last} for {points[-1].version}", 300)


def _fraction(seconds: float) -> float:
    """Return the place of a lag on the scale, from 0 to 1."""
    within = min(max(seconds, _LEAST), _MOST)
    return math.log(within / _LEAST) / math.log(_MOST / _LEAST)
