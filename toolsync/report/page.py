"""Render the static site: an index, a page for each tool, a feed. Values in, files' texts out.

The templates escape all that is put into them. Nothing on a page needs a script or another
server.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, partial
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from toolsync.attest.record import lines
from toolsync.attest.sbom import SUFFIX
from toolsync.journal.publications import Publication
from toolsync.model.text import escaped, escaped_json
from toolsync.model.values import Blob
from toolsync.report.chart import Point, large, scale, small
from toolsync.report.columns import COLUMNS
from toolsync.report.lag import in_words
from toolsync.report.listing import Row, grouped, rank, wants_words
from toolsync.report.sentences import plain

_HERE = Path(__file__).parent
LOOK = _HERE / "look.css"
"""The style sheet of all pages, also of those that are served."""
_WHY = 320
"""Characters of the sentence that stands below a tool in the index."""
MAX_RECORDS = 50
"""Releases whose evidence stands on a tool's page; the JSON beside it has all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """What one target serves for one series."""

    target: str
    series: str
    version: str
    """The Debian version."""
    since: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """What waits for a person, and what there is to read before deciding."""

    version: str
    stage: str
    message: str
    resolution: str
    diff: str
    """The gate's report or the end of the failed step's log; empty where there is none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """The evidence of one release."""

    version: str
    outcome: str
    """In a phrase: where its way has ended so far."""
    evidence: Mapping[str, object]
    signed: Blob | None = None
    """The signed statement, in the store, where there is one."""
    bill: Blob | None = None
    """The bill of materials that it names, in the store, where there is one."""

    @property
    def text(self) -> str:
        """The evidence as lines for a person."""
        return "\n".join(lines(self.evidence))


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolView:
    """All that a reader may see of one tool."""

    name: str
    summary: str
    homepage: str
    status: str
    sentence: str
    """The words of ``toolsync why``."""
    upstream: str
    looked: str
    packages: tuple[str, ...]
    """The names by which apt installs it."""
    places: tuple[Place, ...]
    points: tuple[Point, ...]
    holds: tuple[Hold, ...]
    records: tuple[Record, ...]
    """Newest first."""
    evidence: tuple[Mapping[str, object], ...]
    """What ``toolsync evidence --json`` gives, of every release."""
    more: Mapping[str, str | None] = field(default_factory=dict)
    """What `columns.COLUMNS` tell of it, by their names."""

    @property
    def link(self) -> str:
        """The homepage, empty unless it is one that a browser may open."""
        return self.homepage if self.homepage.startswith(("http://", "https://")) else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Install:
    """How an instance installs for one series."""

    series: str
    stanza: str
    example: str
    """What ``apt-get install`` is given to install one of the tools there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """The whole page."""

    title: str
    made: str
    tools: Sequence[ToolView]
    target: str
    """Where releases go."""
    installs: Sequence[Install]
    key: str
    """The archive's public key, armored; empty before there is one."""
    fingerprint: str
    published: Sequence[Publication]
    """All that was ever published, oldest first: the feed's."""


def signed_name(blob: Blob) -> str:
    """Return where a signed statement stands: by its digest, since versions name no files."""
    return f"evidence/{blob.sha256}.intoto.json"


def bill_name(blob: Blob) -> str:
    """Return where a bill of materials stands: beside the statements."""
    return f"evidence/{blob.sha256}{SUFFIX}"


File = tuple[str, Callable[[], bytes]]
"""A file's path below the site's folder, and what makes its content when it is to be written."""


def render(site: Site) -> Iterator[tuple[str, bytes]]:
    """Yield every file of the site: its path below the folder, and its content."""
    return ((name, make()) for name, make in files(site))


def files(site: Site) -> Iterator[File]:
    """Yield every file of the site, none of them made yet: all at once would fill the memory."""
    yield "index.html", partial(_index, site)
    for tool in site.tools:
        yield f"tools/{tool.name}.html", partial(_tool, site, tool)
        yield f"tools/{tool.name}.json", partial(_evidence, tool)
    yield "style.css", _style
    yield "page.js", (_HERE / "page.js").read_bytes
    for install in site.installs:
        yield f"toolsync-{install.series}.sources", install.stanza.encode
    if site.key:
        yield "key.asc", site.key.encode


def _style() -> bytes:
    return LOOK.read_bytes() + (_HERE / "page.css").read_bytes()


def _index(site: Site) -> bytes:
    rows = sorted(map(_row, site.tools), key=lambda row: (row.rank, row.name))
    counts = Counter(row.status for row in rows)
    template = templates().get_template("index.html.j2")
    return template.render(
        site=site,
        rows=rows,
        heads=[column.head for column in COLUMNS],
        counts=sorted(counts.items(), key=lambda item: rank(item[0])),
        target=site.target,
        depth="",
    ).encode()


def _row(tool: ToolView) -> Row:
    """Return a tool's row of the index."""
    status = "" if tool.status == "unknown" else tool.status
    last = tool.points[-1].seconds if tool.points else None
    told = wants_words(status, "said") or not status
    return Row(
        name=tool.name,
        href=f"tools/{tool.name}.html",
        summary=tool.summary,
        status=status,
        newest=tool.upstream,
        places=grouped(tool.places),
        lag="" if last is None else in_words(last),
        seconds=-1 if last is None else int(last),
        chart=small(tool.points) if tool.points else None,
        why=_cut(tool.sentence) if told else "",
        more=[plain(tool.more.get(column.name) or "none") for column in COLUMNS],
    )


def _cut(text: str) -> str:
    """Return a sentence, cut at a word where it is long; the tool's page has all of it."""
    return text if len(text) <= _WHY else f"{text[:_WHY].rpartition(' ')[0]} …"


def _tool(site: Site, tool: ToolView) -> bytes:
    records = tool.records[:MAX_RECORDS]
    template = templates().get_template("tool.html.j2")
    return template.render(site=site, tool=tool, records=records, depth="../").encode()


def _evidence(tool: ToolView) -> bytes:
    # A release a line: with an indent, json does not use its fast half, which is written in C.
    rows = ",\n".join(
        escaped_json(json.dumps(record, ensure_ascii=False)) for record in tool.evidence
    )
    return f"[{rows}]\n".encode()


def loader() -> FileSystemLoader:
    """Return what finds the templates of this package."""
    return FileSystemLoader(_HERE)


@cache
def templates() -> Environment:
    """Return the templates, which escape all values and put `clean` to work on texts."""
    environment = Environment(
        loader=loader(),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=clean,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals |= {"history": large, "scale": scale()}
    environment.globals |= {"in_words": in_words, "signed_name": signed_name}
    environment.globals |= {"bill_name": bill_name}
    environment.globals |= {"plain": plain}
    return environment


def clean(value: object) -> object:
    """Return a text with escapes for control characters and those that reverse its direction."""
    if not isinstance(value, str) or value.isprintable() or isinstance(value, Markup):
        return value
    return escaped(value, "\n\t")
