"""OAuth 1.0 as Launchpad has it (PLAINTEXT signatures): tokens asked for, granted and checked."""

from __future__ import annotations

import json
import re
import secrets
from urllib.parse import parse_qs, unquote, urlencode, urlsplit

from tests.servers.launchpad_world import World
from tests.servers.web import Answer, Asked

LEVELS = ("UNAUTHORIZED", "READ_PUBLIC", "WRITE_PUBLIC", "READ_PRIVATE", "WRITE_PRIVATE")
"""Of which READ_PUBLIC and WRITE_PUBLIC leave a private PPA invisible."""


class Unauthorized(Exception):
    """Why a request's credentials are refused."""


class OAuth:
    """The three pages of the token dance, and the check of each request."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.requested: dict[str, tuple[str, str | None]] = {}
        """Request tokens: the secret, and by whom granted (empty when refused), by key."""
        self.troubles: dict[str, str] = {}
        """What is wrong with access tokens, by key: "Expired token", "Unauthorized token"."""
        self.exchanged: list[str] = []
        """The request tokens that somebody tried to exchange."""

    def grant(self, person: str, token: str = "") -> None:
        """Let a person grant a request token (the last one); an empty person refuses it."""
        key = token or list(self.requested)[-1]
        self.requested[key] = (self.requested[key][0], person)

    def viewer(self, header: str) -> str:
        """Return who makes a request, empty for nobody; raises Unauthorized."""
        words = {k: unquote(v) for k, v in re.findall(r'(oauth_\w+)="([^"]*)"', header)}
        key = words.get("oauth_token", "")
        if not key:
            return ""
        if key not in self._world.tokens:
            raise Unauthorized(f"Unknown access token ({key}).")
        if key in self.troubles:
            raise Unauthorized(f"{self.troubles[key]} ({key}).")
        secret, person = self._world.tokens[key]
        if words.get("oauth_signature", "").partition("&")[2] != secret:
            raise Unauthorized("Invalid signature.")
        if not self._world.people[person].active:
            raise Unauthorized("Inactive account.")
        return person

    def page(self, asked: Asked, path: str) -> Answer:
        """Answer +request-token, +authorize-token and +access-token."""
        sent = {key: values[0] for key, values in parse_qs(asked.body.decode()).items()}
        if path == "/+request-token" and asked.method == "POST":
            return self._request(asked, sent)
        if path == "/+access-token" and asked.method == "POST":
            return self._exchange(sent)
        if path == "/+authorize-token":
            return Answer("\n".join(self._choices(asked)), 200, {"Content-Type": "text/html"})
        return _text(404, "not here")

    def _choices(self, asked: Asked) -> list[str]:
        """Return what a person may choose of: all, or what the address allows, and to refuse."""
        allowed = parse_qs(urlsplit(asked.path).query).get("allow_permission", [])
        return [level for level in LEVELS if not allowed or level in ("UNAUTHORIZED", *allowed)]

    def _request(self, asked: Asked, sent: dict[str, str]) -> Answer:
        if not sent.get("oauth_consumer_key"):
            return _text(401, "No consumer key.")
        key, secret = secrets.token_hex(8), secrets.token_hex(16)
        self.requested[key] = (secret, None)
        token = {"oauth_token": key, "oauth_token_secret": secret}
        if "json" in asked.headers.get("accept", ""):
            more = {"oauth_token_consumer": sent["oauth_consumer_key"], "access_levels": []}
            return Answer(json.dumps(token | more), 200, {"Content-Type": "application/json"})
        return _text(200, urlencode(token))

    def _exchange(self, sent: dict[str, str]) -> Answer:
        self.exchanged.append(sent.get("oauth_token", ""))
        secret, person = self.requested.get(sent.get("oauth_token", ""), ("", None))
        if not secret or sent.get("oauth_signature") != f"&{secret}":
            return _text(401, "No request token specified.")
        if person is None:
            return _text(401, "Request token has not yet been reviewed. Try again later.")
        if not person:
            return _text(403, "End-user refused to authorize request token.")
        del self.requested[sent["oauth_token"]]
        key, secret = secrets.token_hex(8), secrets.token_hex(16)
        self._world.add_token(person, key, secret)
        token = {"oauth_token": key, "oauth_token_secret": secret, "lp.context": "None"}
        return _text(200, urlencode(token))


def _text(status: int, text: str) -> Answer:
    return Answer(text, status, {"Content-Type": "text/plain"})
