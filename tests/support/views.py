"""What every view says of the same tools at the same moment, each asked as its reader does."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from flask.testing import FlaskClient

from toolsync.cli.render import outcome_row
from toolsync.config.definition import Tool
from toolsync.config.settings import Config
from toolsync.pipeline.context import Context
from toolsync.pipeline.survey import last_standing
from toolsync.system.clock import Clock
from toolsync.web.app import application

_ROW = re.compile(r'<span class="status ([a-z-]+)">')
_METRIC = re.compile(r'toolsync_tool_state\{status="([a-z-]+)",tool="([^"]+)"\} 1\.0')
Said = Mapping[str, str]
"""The statuses that one view gives, by the tools' names."""


def browser(config: Config, clock: Clock) -> FlaskClient:
    """Return a browser before the pages over a set-up, where everybody may read."""
    found = replace(config, web=replace(config.web, anonymous=True))
    app, _ = application(lambda: found, clock=clock)
    return app.test_client()


def views(context: Context, tools: Sequence[Tool], pages: FlaskClient) -> dict[str, Said]:
    """Return what each view says, by the view's name."""
    names = [tool.name for tool in tools]
    rows = [outcome_row(o) for tool in tools if (o := last_standing(context, tool))]
    api = json.loads(pages.get("/api/v1/tools").text)["tools"]
    root, metrics = Path(context.config.report.page), Path(context.config.report.metrics)
    overview = pages.get("/").text.partition("<tbody")[2]
    found: dict[str, Said] = {
        "status --json": {str(row["tool"]): str(row["status"]) for row in rows},
        "API": {row["tool"]: row["status"] for row in api},
        "overview": dict(_listed(overview, "/tool/{}")),
        "tool's page": {n: _first(pages.get(f"/tool/{n}").text) for n in names},
        "static page": dict(_listed((root / "index.html").read_text(), "tools/{}.html")),
        "static tool's page": {n: _first((root / f"tools/{n}.html").read_text()) for n in names},
        "metrics": {name: status for status, name in _METRIC.findall(metrics.read_text())},
        "reports": {n: kept.status for n, kept in context.journal.statuses.all().items()},
    }
    one = {row["tool"]: [row[k] for k in ("current", "newest", "message")] for row in rows}
    other = {row["tool"]: [row[k] for k in ("current", "newest", "message")] for row in api}
    found |= {"texts of --json": _flat(one), "texts of the API": _flat(other)}
    return found


def differing(found: Mapping[str, Said], names: Sequence[str]) -> list[str]:
    """Return where views disagree about a tool, a sentence each."""
    pages = {view: said for view, said in found.items() if "text" not in view}
    told = [
        f"{name}: { ({view: said.get(name, 'nothing') for view, said in pages.items()}) }"
        for name in names
        if len({said.get(name, "nothing") for said in pages.values()}) != 1
    ]
    one, other = found["texts of --json"], found["texts of the API"]
    return told + [f"{n}: {one[n]} is not {other[n]}" for n in names if one[n] != other[n]]


def _flat(found: Mapping[object, Sequence[object]]) -> Said:
    return {str(name): repr(values) for name, values in found.items()}


def _first(page: str) -> str:
    found = _ROW.search(page)
    return found[1] if found else "nothing"


def _listed(page: str, place: str) -> Iterator[tuple[str, str]]:
    """Yield the tools of a table, each with the status of its row."""
    for row in page.split("<tr")[1:]:
        link = re.search(place.format(r'([^"/]+?)') + '"', row)
        if link and (status := _ROW.search(row)):
            yield link[1], status[1]
