"""Be told by a forge that something was released, and look at the tools whose page it names.

A hook shows that it comes from who knows the secret of ``[web] hook_secret_file``. Of what it says
nothing but an address is read, and that only chooses among the tools that are followed: what a tool
has released is then read from its own page, as always.
"""

from __future__ import annotations

import hmac
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from flask import request
from flask.typing import ResponseReturnValue

from toolsync.config.definition import Tool
from toolsync.system.secret import secret
from toolsync.web.api import as_json
from toolsync.web.problems import Refused
from toolsync.web.request import config, shared

_TRIES = 30
"""Wrong signatures that an address may send in a quarter of an hour."""
_MOST, _LONGEST = 20, 500
"""Addresses of one hook, and characters of each."""
_HOSTS = {"api.github.com": "github.com", "www.github.com": "github.com"}
_PREFIXES = (("repos",), ("api", "v3", "repos"), ("api", "v1", "repos"))
"""What stands before owner and name in the addresses of APIs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Forge:
    """How one kind of forge signs, and where it names what the hook is about."""

    header: str
    """Where its proof stands."""
    prefix: str
    """What stands before the proof."""
    signs: bool
    """Whether the proof is the body's HMAC-SHA256 in hex, else the secret itself."""
    paths: tuple[tuple[str, ...], ...]
    """Where in its JSON addresses stand."""


FORGES: Mapping[str, Forge] = {
    "github": Forge(
        header="X-Hub-Signature-256",
        prefix="sha256=",
        signs=True,
        paths=(("repository", "html_url"),),
    ),
    "gitlab": Forge(
        header="X-Gitlab-Token",
        prefix="",
        signs=False,
        paths=(("project", "web_url"), ("project", "git_http_url")),
    ),
    "forgejo": Forge(
        header="X-Forgejo-Signature",
        prefix="",
        signs=True,
        paths=(("repository", "html_url"),),
    ),
    "generic": Forge(header="Authorization", prefix="Bearer ", signs=False, paths=(("url",),)),
}
"""By the name in the hook's address: ``/hooks/NAME``."""


def hear(forge: str) -> ResponseReturnValue:
    """Ask for a look at the tools that a hook is about, and say which these are."""
    kind = FORGES.get(forge)
    key = secret(config().web.hook_secret_file, "[web] hook_secret_file")
    if kind is None or not key:
        raise Refused(404, "there is no such hook", "Set [web] hook_secret_file for hooks.")
    body = request.get_data(cache=False)
    _require_proof(kind, key, body)
    named = list(_addresses(kind, _read(body)))
    tools = sorted(
        name
        for name, one in shared().plan.read(config()).items()
        if isinstance(one.found, Tool) and any(leads(url, one.found.watch.url) for url in named)
    )
    shared().hearing.ask(tools)
    return as_json({"version": 1, "tools": tools}, 202)


def leads(named: str, page: str) -> bool:
    """Say whether an address that a hook names is a tool's page, or holds it."""
    one, other = _place(named), _place(page)
    return bool(one) and len(one) > 1 and other[: len(one)] == one


def _place(url: str) -> tuple[str, ...]:
    """Return host and path of an address in one form for a page, an API and a git remote."""
    try:
        parts = urlsplit(url)
        host, port = (parts.hostname or "").lower(), f":{parts.port}" if parts.port else ""
    except ValueError:
        return ()
    names = tuple(name for name in parts.path.split("/") if name)
    for prefix in _PREFIXES:
        if names[: len(prefix)] == prefix:
            names = names[len(prefix) :]
    host = _HOSTS.get(host, host)
    cut = tuple(name.removesuffix(".git").lower() for name in names[:2])
    return (f"{host}{port}", *cut, *names[2:]) if host else ()


def _require_proof(kind: Forge, key: str, body: bytes) -> None:
    tries, address = shared().tries, f"hook {request.remote_addr}"
    if wait := tries.wait(address, _TRIES):
        raise Refused(429, "too many hooks with a wrong signature", "", wait=wait)
    given = request.headers.get(kind.header, "")
    wanted = hmac.new(key.encode(), body, "sha256").hexdigest() if kind.signs else key
    found = given.removeprefix(kind.prefix) if given.startswith(kind.prefix) else ""
    if not hmac.compare_digest(found.encode(), wanted.encode()):
        tries.fail(address)
        raise Refused(
            401,
            f"{kind.header} does not show that the hook knows the secret",
            "Give the forge the secret that stands in the file [web] hook_secret_file.",
        )


def _read(body: bytes) -> object:
    text = body.decode("utf-8", "replace")
    if request.mimetype == "application/x-www-form-urlencoded":
        from urllib.parse import parse_qs

        text = parse_qs(text, max_num_fields=10).get("payload", [""])[0]
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise Refused(400, "the hook's content is no JSON", "") from error


def _addresses(kind: Forge, data: object) -> Iterator[str]:
    for path in kind.paths:
        found = data
        for name in path:
            found = found.get(name) if isinstance(found, dict) else None
        for value in found[:_MOST] if isinstance(found, list) else [found]:
            if isinstance(value, str) and len(value) <= _LONGEST:
                yield value
