"""The API of the Launchpad that tests run against: from a request to an answer.

Each request is checked against the WADL first. Addresses are those of Launchpad itself, below
the root ``…/devel/``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from tests.servers import launchpad_wadl as wadl
from tests.servers.launchpad_archive import Ppa
from tests.servers.launchpad_kinds import SETS
from tests.servers.launchpad_operations import OPERATIONS, Call, Found, Refusal
from tests.servers.launchpad_records import Records, processor_of
from tests.servers.launchpad_world import World
from tests.servers.web import Answer, Asked

_ARCHIVE = r"(~[^/]+/\+archive/ubuntu/[^/]+|ubuntu/\+archive/primary)"


class Api:
    """The API below ``root``, which ends with a slash; collections come in pages."""

    def __init__(self, world: World, root: str) -> None:
        self._world, self.root, self.page_size = world, root, 75
        self.records = Records(world, root)

    def answer(self, asked: Asked, viewer: str) -> Answer:
        """Answer a request of a person, or of nobody (an empty ``viewer``)."""
        parts = urlsplit(asked.path)
        path = parts.path.removeprefix(urlsplit(self.root).path).strip("/")
        sent = dict(parse_qsl(parts.query) + parse_qsl(asked.body.decode()))
        try:
            if not path:
                return self._service_root(asked)
            found = self._find(path, viewer)
            name, given = wadl.check(found.kind, asked.method, sent) if not found.many else ("", {})
            self._check_viewer(found.ppa, viewer, writes=asked.method != "GET")
            if name:
                return self._operate(found, name, given, viewer, asked.path)
            return self._shown(found, asked.path)
        except wadl.BadRequest as error:
            return _text(400, str(error))
        except Refusal as error:
            return _text(error.status, str(error))

    def _service_root(self, asked: Asked) -> Answer:
        caching = {"Cache-Control": "max-age=3600"}
        if "wadl" in asked.headers.get("accept", ""):
            body = wadl.document(self.root)
            return Answer(body, 200, {"Content-Type": "application/vnd.sun.wadl+xml"} | caching)
        links = {f"{name}_collection_link": f"{self.root}{name}" for name in SETS}
        links["me_link"] = f"{self.root}people/+me"
        return _json(links | {"resource_type_link": f"{self.root}#service-root"}, caching)

    def _check_viewer(self, ppa: Ppa | None, viewer: str, *, writes: bool) -> None:
        """Let anybody look at public archives, and those with rights at and into theirs."""
        if ppa is None:
            return
        rights = bool(viewer) and bool(ppa.owner) and self._world.may_upload(viewer, ppa)
        if not (rights if writes else self._world.may_view(viewer, ppa)):
            need = "launchpad.Append" if writes else "launchpad.View"
            raise Refusal(401, f"(<Archive {ppa.reference}>, 'displayname', '{need}')")

    def _operate(
        self, found: Found, name: str, given: Mapping[str, Any], viewer: str, path: str
    ) -> Answer:
        call = Call(
            world=self._world,
            records=self.records,
            record=found.record,
            ppa=found.ppa or Ppa(owner="", name="", displayname="", pace=self._world.pace),
            given=given,
            viewer=viewer,
            lookup=lambda link, kind: self._by_link(link, kind, viewer),
        )
        operation = OPERATIONS.get((found.kind.replace("team", "person"), name))
        if operation is None:
            raise Refusal(501, f"{name} is not answered by this Launchpad")
        result = operation(call)
        if not isinstance(result, Found):
            return _json(result)
        self._check_viewer(result.ppa, viewer, writes=False)
        return self._shown(result, path)

    def _shown(self, found: Found, path: str) -> Answer:
        if found.kind in SETS:
            everything = {
                "people": list(self._world.people.values()),
                "archives": [p for p in self._world.ppas.values() if not p.deleted],
                "distributions": ["ubuntu"],
            }
            kind, records = SETS[found.kind][0], everything[found.kind]
            return self._page(Found(kind, records, many=True), path)
        if found.many:
            return self._page(found, path)
        if found.record is None:
            return _json(None)
        return _json(self.records.show(found.kind, found.record, found.ppa))

    def _page(self, found: Found, path: str) -> Answer:
        """Return one page: the whole where it fits, else with a link to the next."""
        parts = urlsplit(path)
        sent = dict(parse_qsl(parts.query))
        start = int(sent.get("ws.start", 0))
        size = min(int(sent.get("ws.size", self.page_size)), 300)
        records, here = found.record, f"{self.records.site}{parts.path}"
        if sent.get("ws.show") == "total_size":
            return _json(len(records))
        entries = [
            self.records.show(found.kind, record, record if found.kind == "archive" else found.ppa)
            for record in records[start : start + size]
        ]
        answer: dict[str, Any] = {
            "start": start,
            "entries": entries,
            "resource_type_link": f"{self.root}#{found.kind}-page-resource",
        }
        more = {key: value for key, value in sent.items() if key not in ("ws.start", "ws.size")}
        if len(records) <= size and not start:
            return _json(answer | {"total_size": len(records)})
        answer["total_size_link"] = f"{here}?{urlencode(more | {'ws.show': 'total_size'})}"
        if start + size < len(records):
            following = more | {"ws.start": start + size, "ws.size": size}
            answer["next_collection_link"] = f"{here}?{urlencode(following)}"
        return _json(answer)

    def _by_link(self, link: str, kind: str, viewer: str) -> Any:
        """Return the record that an argument links to."""
        path = str(link).removeprefix(self.root)
        found = self._find(path, viewer) if path != link else Found("nothing", None)
        if found.kind.replace("team", "person") != kind:
            raise wadl.BadRequest(f"{link} is no address of a {kind}")
        self._check_viewer(found.ppa, viewer, writes=False)
        return found.record

    def _find(self, path: str, viewer: str) -> Found:
        """Return what lies at a path; raises Refusal 404."""
        if path == "people/+me":
            if not viewer:
                raise Refusal(401, "Requires authentication.")
            return Found("person", self._world.people[viewer])
        for pattern, finder in self._places():
            if match := re.fullmatch(pattern, path):
                found = finder(*match.groups())
                if found.record is not None:
                    return found
        raise Refusal(404, f"Object: <{path}>, name: '{path.rpartition('/')[2]}'")

    def _places(self) -> Sequence[tuple[str, Callable[..., Found]]]:
        people, series = self._world.people, self._world.series
        every = list(series.values())
        return (
            (r"(people|archives|distributions)", lambda name: Found(name, name)),
            (r"~([^/]+)", self._person),
            (r"~([^/]+)/gpg_keys", lambda n: Found("gpg_key", people[n].fingerprints, many=True)),
            (r"~([^/]+)/members", self._members),
            (r"~([^/]+)/ppas", self._ppas),
            (r"~[^/]+/\+gpg-keys/(\w+)", lambda key: Found("gpg_key", key)),
            (_ARCHIVE, self._archive),
            (_ARCHIVE + r"/\+(sourcepub|binarypub|build)/(\d+)", self._of_archive),
            (_ARCHIVE + r"/processors", self._processors),
            (r"\+processors/(\w+)", lambda name: Found("processor", name)),
            (r"(ubuntu)", lambda name: Found("distribution", name)),
            (r"ubuntu/series", lambda: Found("distro_series", every, many=True)),
            (r"ubuntu/(\w+)", lambda name: Found("distro_series", series.get(name))),
            (r"ubuntu/(\w+)/architectures", self._architectures),
            (r"(ubuntu/\w+/\w+)", lambda place: Found("distro_arch_series", place)),
        )

    def _person(self, name: str) -> Found:
        person = self._world.people.get(name)
        return Found("team" if person and person.members else "person", person)

    def _members(self, name: str) -> Found:
        names = sorted(self._world.people[name].members)
        return Found("person", [self._world.people[n] for n in names], many=True)

    def _ppas(self, name: str) -> Found:
        ppas = [p for p in self._world.ppas.values() if p.owner == name and not p.deleted]
        return Found("archive", ppas, many=True)

    def _architectures(self, series: str) -> Found:
        archs = self._world.series[series].architectures
        return Found("distro_arch_series", [f"ubuntu/{series}/{a}" for a in archs], many=True)

    def _processors(self, place: str) -> Found:
        ppa: Ppa = self._archive(place).record
        return Found("processor", [*map(processor_of, ppa.processors)], ppa, many=True)

    def _archive(self, place: str) -> Found:
        every = (self._world.primary, *self._world.ppas.values())
        ppa = next((p for p in every if p.place == place and not p.deleted), None)
        return Found("archive", ppa, ppa)

    def _of_archive(self, place: str, kind: str, number: str) -> Found:
        ppa: Ppa | None = self._archive(place).record
        if ppa is None:
            return Found("archive", None)
        places: Mapping[str, tuple[str, Sequence[Any]]] = {
            "sourcepub": ("source_package_publishing_history", ppa.sources),
            "binarypub": ("binary_package_publishing_history", ppa.binaries),
            "build": ("build", ppa.builds),
        }
        type_name, records = places[kind]
        return Found(type_name, next((r for r in records if r.id == int(number)), None), ppa)


def _json(value: Any, more: Mapping[str, str] | None = None) -> Answer:
    """Return JSON; a record's own ETag stands in the head too."""
    headers = {"Content-Type": "application/json", **(more or {})}
    if isinstance(value, dict) and "http_etag" in value:
        headers["ETag"] = value["http_etag"]
    return Answer(json.dumps(value), 200, headers)


def _text(status: int, text: str) -> Answer:
    return Answer(text, status, {"Content-Type": "text/plain;charset=utf-8"})
