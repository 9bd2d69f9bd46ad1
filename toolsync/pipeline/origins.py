"""Choose accepted files about which upstream's servers are asked again, and tell what they say.

No page need tell that a file was replaced. So with each look at the pages some accepted files are
asked about, few of one host and few in one run: of each tool the newest, the one about which nobody
has asked the longest, and the lists of digests that proved them. What the page, or a list that was
changed, speaks of in other words than before is read again at once.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

from toolsync.config.definition import Tool
from toolsync.journal.key import Key
from toolsync.journal.origins import Origin
from toolsync.journal.releases import SeenRelease
from toolsync.model.plan import Plan
from toolsync.model.release import Blob, Part, Release, dump, load
from toolsync.model.versions import upstream_key
from toolsync.pipeline.asked import ask, of_fetched, speaks_otherwise
from toolsync.pipeline.context import Context
from toolsync.pipeline.scheduler import Waits, in_turn
from toolsync.system.headers import bare, host_of
from toolsync.verify.checksum import names_at
from toolsync.verify.methods import plans_of
from toolsync.verify.sumlines import as_text, parse_sums
from toolsync.watch.look import Sighting
from toolsync.watch.named import named_by

_PER_RUN, _PER_HOST, _JOBS = 64, 8, 8
"""Requests of one run, to one host, and at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _File:
    """An accepted tarball and where it came from, or the list that proved it."""

    tool: Tool
    version: str
    name: str
    accepted: frozenset[str]
    """Digests that were accepted there; none for a list, which may grow."""
    known: Origin
    sums: str = ""
    """The address of the list that proves it, empty if there is none."""


class Asking:
    """Asks about accepted files, no more of them in one run than its bounds allow."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._left = _PER_RUN
        self._of_host: Counter[str] = Counter()

    def sample(self, tools: Iterable[Tool]) -> Iterable[Tool]:
        """Ask about a few files of each tool; those first about which nobody asked the longest.

        Return the tools; where nothing was accepted, none of them is read before it is needed.
        """
        accepting = self._context.journal.origins.accepting()
        if not accepting:
            return tools
        tools = list(tools)
        some = [f for tool in tools if tool.name in accepting for f in _chosen(self._context, tool)]
        answers = self._asked(sorted(some, key=lambda file: file.known.asked), whole=False)
        for file, body in answers:
            if body and not file.accepted:
                self._see_list(file, as_text(body))
        return tools

    def hinted(self, tool: Tool, found: Sighting) -> None:
        """Read again the files of which the release page says something else than before."""
        rows = {row.version: row for row in _rows(self._context, tool)}
        for release in found.releases if rows else ():
            row = rows.get(release.version)
            before = load(Release, row.data) if row else None
            if row is None or before is None or not speaks_otherwise(before, release):
                continue
            if self._asked(_files(self._context, tool, [row], every=True), whole=True):
                now = dump(release._replace(parts=before.parts))
                self._context.journal.releases.see(tool.name, release.version, now)

    def _asked(self, files: Iterable[_File], *, whole: bool) -> list[tuple[_File, bytes]]:
        """Return the files that could be asked about, with what is new there, empty if nothing."""
        context = self._context

        def act(file: _File, _: Waits) -> tuple[Origin, bytes]:
            tool = file.tool
            http = context.http.dressed(
                user_agent=tool.watch.user_agent, named=lambda: named_by(tool)
            )
            limits, now = context.config.limits, context.clock.now()
            return ask(http, file.known, limits, now, whole=whole)

        work = [(host_of(file.known.url), file) for file in files]
        allowed = [(host, file) for host, file in work if self._may_ask(host)]
        found = []
        for file, (now, body) in in_turn(allowed, act, jobs=_JOBS, per_host=1, clock=context.clock):
            context.journal.origins.keep(now)
            found.append((replace(file, known=now), body))
        return found

    def _may_ask(self, host: str) -> bool:
        """Count a request, unless this run has made enough of them."""
        may = self._left > 0 and self._of_host[host] < _PER_HOST
        self._left -= may
        self._of_host[host] += may
        return may

    def _see_list(self, sums: _File, text: str) -> None:
        """Note what a list that was changed states of accepted files, and read those again."""
        context, doubted = self._context, []
        for file in _files(context, sums.tool, _rows(context, sums.tool)):
            if file.sums != sums.known.url:
                continue
            stated = _stated(context, file, text)
            if stated or file.known.stated:
                stated = f"{stated} in {sums.known.url}" if stated else ""
                known = replace(file.known, stated=stated)
                context.journal.origins.keep(known)
                doubted.append(replace(file, known=known))
        self._asked(doubted, whole=True)


def replaced(context: Context, tool: Tool, rows: Iterable[SeenRelease]) -> dict[str, str]:
    """Return of each accepted version whose bytes are other ones by now how they differ."""
    known = context.journal.origins.of(tool.name)
    told = {}
    for part in _parts(context, tool, rows, every=True) if known else ():
        now = known.get(part.part.url)
        mine = next(iter(sorted(part.accepted)), "")
        if now and now.sha256 and now.sha256 not in part.accepted:
            told[part.version] = f"with sha256 {mine}, but {bare(now.url)} now gives {now.sha256}"
        elif now and now.stated:
            digest, _, url = now.stated.partition(" in ")
            told[part.version] = f"with sha256 {mine}, but {bare(url)} now states {digest}"
    return told


def _rows(context: Context, tool: Tool) -> list[SeenRelease]:
    """Return what was accepted of a tool, the newest first."""
    rows = [row for row in context.journal.releases.of(tool.name) if row.sha256]
    return sorted(rows, key=lambda row: upstream_key(row.version), reverse=True)


def _chosen(context: Context, tool: Tool) -> Iterator[_File]:
    rows = _rows(context, tool)
    newest = list(_files(context, tool, rows[:1]))
    older = sorted(_files(context, tool, rows[1:]), key=lambda file: file.known.asked)
    some = [*newest, *older[:1]]
    yield from some
    yield from {file.sums: _list_of(context, file) for file in some if file.sums}.values()


def _files(
    context: Context, tool: Tool, rows: Iterable[SeenRelease], *, every: bool = False
) -> Iterator[_File]:
    """Yield the files of `_parts`, each with what is known of its address and the list over it."""
    known = context.journal.origins.of(tool.name)
    for one in _parts(context, tool, rows, every=every):
        part, origin = one.part, known.get(one.part.url)
        if origin is None:
            bare_origin = Origin(tool=tool.name, url=part.url)
            fetched = _fetched(context, tool, one.version, one.place)
            origin = of_fetched(bare_origin, fetched, one.row.accepted)
            origin = origin if origin.sha256 in one.accepted else bare_origin
        yield _File(
            tool=tool,
            version=one.version,
            name=part.filename,
            accepted=one.accepted,
            known=origin,
            sums=_sums_of(plans_of(tool, one.release)[one.place]),
        )


class _Part(NamedTuple):
    """A tarball of an accepted release that lies at an address of its own."""

    row: SeenRelease
    release: Release
    place: int
    """Its place among the release's tarballs, the main one's being 0."""
    part: Part
    accepted: frozenset[str]
    """As of `_File`."""

    @property
    def version(self) -> str:
        """The release's."""
        return self.row.version


def _parts(
    context: Context, tool: Tool, rows: Iterable[SeenRelease], *, every: bool = False
) -> Iterator[_Part]:
    """Yield the tarballs of accepted releases that lie at addresses of their own.

    An address that names no version may lead to the next one at any time; ``every`` takes it, too.
    """
    accepted: dict[tuple[str, str], set[str]] = {}
    for bytes_ in context.journal.releases.parts(tool.name):
        accepted.setdefault((bytes_.version, bytes_.component), set()).add(bytes_.sha256)
    for row in rows:
        release = load(Release, row.data)
        for place, part in enumerate((release.main, *release.components)):
            if part.git or tool.watch.is_tree or not (every or _is_own(part, release)):
                continue
            digests = frozenset(accepted.get((row.version, part.component), {row.sha256}))
            yield _Part(row, release, place, part, digests)


def _is_own(part: Part, release: Release) -> bool:
    """Say whether an address names the release's version, and so can have no other's file."""
    path = unquote(urlsplit(part.url).path)
    words = (release.raw_version, release.tag, part.version)
    return any(re.search(rf"(?<![0-9.]){re.escape(word)}(?![0-9])", path) for word in words if word)


def _sums_of(plan: Plan) -> str:
    """Return the address of the list of digests, where it is certain."""
    urls = {wanted.url for way in plan.ways for wanted in way if wanted.role == "checksums"}
    return urls.pop() if len(urls) == 1 else ""


def _fetched(context: Context, tool: Tool, version: str, place: int) -> Mapping[str, object]:
    """Return what was kept of a part's download, the main one's place being 0."""
    result = context.journal.results.get(Key(tool=tool.name, version=version, stage="fetch"))
    data = result.data if result and result.outcome == "done" else {}
    components = data.get("components")
    if not place:
        return data
    return components[place - 1] if isinstance(components, list) else {}


def _list_of(context: Context, file: _File) -> _File:
    """Return the list that proved a file, as it was then or when it was last asked for."""
    known = context.journal.origins.of(file.tool.name).get(file.sums)
    if known is None:
        result = context.journal.results.get(
            Key(tool=file.tool.name, version=file.version, stage="fetch")
        )
        extras = result.data.get("extras", ()) if result else ()
        blobs = [load(Blob, extra) for extra in extras if extra["name"] == "checksums"]
        digest = blobs[0].sha256 if blobs else ""
        known = Origin(tool=file.tool.name, url=file.sums, sha256=digest)
    return replace(file, accepted=frozenset(), known=known, sums="")


def _stated(context: Context, file: _File, text: str) -> str:
    """Return another digest than the accepted file's that a list states of it, empty if none."""
    names = names_at(file.known.url, file.name)
    listed = [one for one in parse_sums(text) if one.name in ("", *names)]
    other = ""
    for one in listed:
        if one.algorithm == "sha256" and one.digest in file.accepted:
            return ""
        if one.algorithm == "sha512" and one.digest in _sha512(context, file):
            return ""
        if one.algorithm in ("sha256", "sha512"):
            other = other or f"{one.algorithm} {one.digest}"
    return other


def _sha512(context: Context, file: _File) -> Iterator[str]:
    for digest in file.accepted:
        path = context.store.where(Blob(name=file.name, sha256=digest, size=0))
        if path.is_file():
            with path.open("rb") as source:
                yield hashlib.file_digest(source, "sha512").hexdigest()
