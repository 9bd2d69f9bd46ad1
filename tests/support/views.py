"""What every view says of the same tools at the same moment, each asked as its reader does."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from flask.testing import FlaskClient

from toolsync.cli.render import outcome_row
from toolsync.config.definition import Tool
from toolsync.config.settings import Config
from toolsync.model.release import STATUSES
from toolsync.pipeline.context import Context
from toolsync.pipeline.outcome import last_standing
from toolsync.system.clock import Clock
from toolsync.web.app import application

_ROW = re.compile(r'<span class="status ([a-z-]+)">')
_METRIC = re.compile(r'toolsync_tool_state\{status="([a-z-]+)",tool="([^"]+)"\} 1\.0')
_STATUS = re.compile(rf"(?P<tool>\S+) is (?P<status>{'|'.join(STATUSES)}): ")
_PUBLISHED = re.compile(
    r"(?P<tool>\S+) (?P<version>\S+) is published on (?P<target>\S+) for (?P<series>[a-z]+)"
)
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


def items(mail: str) -> list[str]:
    """Return what a mail tells, an item each, without the breaks of its lines."""
    found = re.findall(r"^  \* (.*?)(?=\n  \*|\n\n|\Z)", mail, re.MULTILINE | re.DOTALL)
    return [_words(item) for item in found]


def differing_mail(mail: str, pages: FlaskClient, static: Path) -> tuple[int, list[str]]:
    """Return how many items of a mail were compared, and where other views say otherwise.

    What is told of a status must be the API's sentence, word by word, and stand on the tool's pages
    in the browser and in the static site; what is told to be published must be there for the API.
    """
    compared, told = 0, list[str]()
    for item in items(mail):
        status, published = _STATUS.match(item), _PUBLISHED.match(item)
        found = status or published
        if found is None:
            continue  # of a key: no view has a status for it
        compared += 1
        name = found["tool"]
        tool = json.loads(pages.get(f"/api/v1/tools/{name}").text)
        if published:
            places = {(p["target"], p["series"]) for p in tool["published"]}
            versions = {str(p["version"]).partition("-")[0] for p in tool["published"]}
            if (published["target"], published["series"]) not in places:
                told.append(f"mail: {item}; API: {tool['published']}")
            elif published["version"] not in versions:
                told.append(f"mail: {item}; API: {versions}")
            continue
        said = tool["sentence"]
        whole = _words(" ".join(filter(None, (said["happened"], said["matters"], said["todo"]))))
        if not item.startswith(f"{name} is {tool['status']}: {whole}"):
            told.append(f"mail: {item}; API: {tool['status']}: {whole}")
        for place, page in (
            ("tool's page", pages.get(f"/tool/{name}").text),
            ("static tool's page", (static / f"tools/{name}.html").read_text()),
        ):
            if _words(said["happened"]) not in _text(page):
                told.append(f"mail: {item}; {place}: another sentence")
    return compared, told


def _words(text: str) -> str:
    return " ".join(text.split())


def _text(page: str) -> str:
    return _words(html.unescape(re.sub(r"<[^>]+>", "", page)))


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
