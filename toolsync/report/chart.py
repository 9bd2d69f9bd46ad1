"""Draw lag over time as SVG, to stand in a page: no script, no color of its own, words for all.

A bar is one publication, its height the lag on a scale by powers, since an hour and a month have
to be seen side by side.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import svgwrite

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
    """When it could be installed."""
    seconds: float


def small(points: Sequence[Point]) -> str:
    """Return a chart for a table's cell: the last dozen releases, without any axis."""
    shown = points[-12:]
    drawing = _drawing(100, 24, f"lag of the last {len(shown)} releases", _told(shown))
    # One path for all bars, since this stands in a table of many.
    bars = []
    for place, point in enumerate(shown):
        height = round(max(2.0, 22 * _share(point.seconds)), 1)
        bars.append(f"M{place * 8.3:.1f},23v{-height}h6v{height}z")
    if bars:
        drawing.add(drawing.path(" ".join(bars), class_="bar"))
    return str(drawing.tostring())


def large(points: Sequence[Point]) -> str:
    """Return a chart with a scale and dates: the last forty releases."""
    shown = points[-40:]
    drawing = _drawing(640, 180, "lag from upstream's release to installable", _told(shown))
    width = 570 / max(len(shown), 8)
    for place, point in enumerate(shown):
        height = max(2.0, 140 * _share(point.seconds))
        bar = _bar(drawing, (64 + place * width, 150 - height), (width * 0.7, height))
        bar.set_desc(title=plain(f"{point.version}: {in_words(point.seconds)}", 200))
        drawing.add(bar)
    if shown:
        last = 64 + (len(shown) - 1 + 0.7) * width
        if last > 260:
            date = plain(shown[-1].at, 10)
            drawing.add(drawing.text(date, (last, 170), class_="scale", text_anchor="end"))
    head, mark, rest = str(drawing.tostring()).partition(_DEFS)
    return head + mark + _scale() + rest


_DEFS = "<defs />"
"""What svgwrite begins every drawing with."""


@cache
def _scale() -> str:
    """Return the scale, which is the same in every chart and so is drawn once."""
    drawing = svgwrite.Drawing(debug=False)
    for seconds, words in _LINES:
        y = round(150 - 140 * _share(seconds), 1)
        drawing.add(drawing.line((60, y), (636, y), class_="grid"))
        drawing.add(drawing.text(words, (54, y + 4), class_="scale", text_anchor="end"))
    return str(drawing.tostring()).partition(_DEFS)[2].removesuffix("</svg>")


def _drawing(width: int, height: int, title: str, words: str) -> svgwrite.Drawing:
    # Without the library's own checks, which cost ten times what drawing does.
    drawing = svgwrite.Drawing(size=(width, height), debug=False, class_="lag", role="img")
    drawing.viewbox(0, 0, width, height)
    drawing.attribs["aria-label"] = plain(f"{title}: {words}", 300)
    return drawing


def _bar(
    drawing: svgwrite.Drawing, corner: tuple[float, float], size: tuple[float, float]
) -> svgwrite.shapes.Rect:
    x, y = corner
    width, height = size
    return drawing.rect((round(x, 1), round(y, 1)), (round(width, 1), round(height, 1)))


def _told(points: Sequence[Point]) -> str:
    if not points:
        return "none yet"
    spans = sorted(point.seconds for point in points)
    middle, last = in_words(spans[len(spans) // 2]), in_words(points[-1].seconds)
    return f"{middle} in the middle, {last} for {points[-1].version}"


def _share(seconds: float) -> float:
    """Return where on the scale so many seconds are, from 0 to 1."""
    held = min(max(seconds, _LEAST), _MOST)
    return math.log(held / _LEAST) / math.log(_MOST / _LEAST)
