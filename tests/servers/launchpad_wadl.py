"""The WADL of the Launchpad that tests run against, and the check of requests against it.

The WADL (W3C submission of 2009) that launchpadlib reads is written from `launchpad_kinds`, and
each request is checked against the same table: an operation, a parameter or a value that is
not in it is refused with a sentence that names it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from xml.sax.saxutils import quoteattr

from tests.servers.launchpad_kinds import KINDS, OPTIONS, ROOT, SETS, Kind, Operation

_PAGING = ("ws.start", "ws.size", "ws.show")


class BadRequest(Exception):
    """A request that the WADL does not allow; its text says what is wrong."""


def document(root: str) -> bytes:
    """Return the WADL of the API whose root is ``root`` (with a slash at its end)."""
    parts = [*(_kind(root, name, kind) for name, kind in KINDS.items())]
    parts += [_set(root, name, *what) for name, what in SETS.items()]
    links = "".join(
        _param(f"{name}_collection_link", link=f"{root}#{kind}") for name, kind in _pairs(ROOT)
    )
    return (
        '<?xml version="1.0"?>\n'
        '<application xmlns="http://research.sun.com/wadl/2006/10"'
        ' xmlns:xsd="http://www.w3.org/2001/XMLSchema">\n'
        f'<resources base="{root}"><resource path="" type="#service-root"/></resources>\n'
        '<resource_type id="service-root"><method name="GET" id="service-root-get"><response>'
        '<representation href="#service-root-json"/></response></method></resource_type>\n'
        f'<representation mediaType="application/json" id="service-root-json">{links}'
        f"{_param('me_link', link=f'{root}#person')}{_param('resource_type_link', link='')}"
        "</representation>\n"
        '<resource_type id="ScalarValue"><method name="GET" id="ScalarValue-get"><response>'
        '<representation mediaType="application/json"/></response></method></resource_type>\n'
        f"{''.join(parts)}</application>\n"
    ).encode()


def check(kind: str, method: str, sent: Mapping[str, str]) -> tuple[str, dict[str, Any]]:
    """Return the operation that a request names, and its arguments, decoded.

    ``kind`` is a type or one of the sets. Raises BadRequest, as Launchpad answers 400.
    """
    name = sent.get("ws.op", "")
    given = {key: value for key, value in sent.items() if key not in ("ws.op", *_PAGING)}
    known = SETS[kind][1] if kind in SETS else KINDS[kind].operations or {}
    operation = known.get(name)
    if not name:
        if given or method != "GET":
            raise BadRequest(f"No operation name given for {kind}: {method} {sorted(given)}")
        return "", {}
    if operation is None or operation.method != method:
        raise BadRequest(f"No such operation: {name} ({method} on {kind})")
    names = operation.names()
    for key in given:
        if key not in names:
            raise BadRequest(f"{name}: unknown parameter {key}")
    for key, required in names.items():
        if required and key not in given:
            raise BadRequest(f"{key}: Required input is missing.")
    return name, {key: _decoded(key, value) for key, value in given.items()}


def _decoded(key: str, value: str) -> Any:
    options = OPTIONS.get(key)
    if options is not None:
        if value not in options:
            choices = ", ".join(options)
            raise BadRequest(f'{key}: Invalid value "{value}". Acceptable values are: {choices}')
        return value
    try:
        return json.loads(value)
    except ValueError:
        return value  # as sent by hand; launchpadlib encodes each as JSON


def _pairs(words: str) -> list[tuple[str, str]]:
    return [(word.split(":")[0], word.split(":")[1]) for word in words.split()]


def _kind(root: str, name: str, kind: Kind) -> str:
    methods = "".join(_method(root, name, *pair) for pair in (kind.operations or {}).items())
    params = _param("self_link", link=f"{root}#{name}") + _param("resource_type_link", link="")
    params += (_param("web_link", link="") if kind.page else "") + _param("http_etag")
    params += "".join(_param(word) for word in kind.attributes.split())
    params += "".join(_param(f"{n}_link", link=f"{root}#{t}") for n, t in _pairs(kind.links))
    params += "".join(
        _param(f"{n}_collection_link", link=f"{root}#{t}-page-resource")
        for n, t in _pairs(kind.collections)
    )
    return (
        f'<resource_type id="{name}">{_get(root, name, f"{name}-full")}{methods}</resource_type>\n'
        f'<representation mediaType="application/json" id="{name}-full">{params}</representation>\n'
        f'<resource_type id="{name}-page-resource">'
        f"{_get(root, f'{name}-page-resource', f'{name}-page')}</resource_type>\n"
        f'<representation mediaType="application/json" id="{name}-page">'
        f"{_page(name)}</representation>\n"
    )


def _set(root: str, name: str, holds: str, operations: Mapping[str, Operation]) -> str:
    methods = "".join(_method(root, name, *pair) for pair in operations.items())
    return (
        f'<resource_type id="{name}">{_get(root, name, f"{holds}-page")}{methods}</resource_type>\n'
    )


def _page(name: str) -> str:
    names = "total_size start entries resource_type_link"
    links = f"next_collection_link:#{name}-page-resource prev_collection_link:#{name}-page-resource"
    size = _param("total_size_link", link="#ScalarValue")
    return (
        "".join(_param(word) for word in names.split())
        + size
        + "".join(_param(n, link=t) for n, t in _pairs(links))
    )


def _get(root: str, name: str, representation: str) -> str:
    return (
        f'<method name="GET" id="{name}-get"><response>'
        f'<representation href="{root}#{representation}"/></response></method>'
    )


def _method(root: str, kind: str, name: str, operation: Operation) -> str:
    params = f'<param style="query" name="ws.op" required="true" fixed="{name}"/>'
    for key, required in operation.names().items():
        options = "".join(f"<option value={quoteattr(o)}/>" for o in OPTIONS.get(key, ()))
        params += (
            f'<param style="query" name="{key}" required="{str(required).lower()}">'
            f"{options}</param>"
        )
    if operation.method == "POST":
        form = "application/x-www-form-urlencoded"
        params = f'<representation mediaType="{form}">{params}</representation>'
    returns = operation.returns
    if returns and not returns.endswith("-page"):
        returns += "-full"
    answer = f'<representation href="{root}#{returns}"/>' if returns else ""
    return (
        f'<method id="{kind}-{name}" name="{operation.method}"><request>{params}</request>'
        f"<response>{answer}</response></method>"
    )


def _param(name: str, *, link: str | None = None) -> str:
    inner = ""
    if link is not None:
        inner = f'<link resource_type="{link}"/>' if link else "<link/>"
    dated = name.startswith("date") or name.endswith("_date")
    moment = ' type="xsd:dateTime"' if dated else ""
    return f'<param style="plain" name="{name}" path="$[\'{name}\']"{moment}>{inner}</param>'
