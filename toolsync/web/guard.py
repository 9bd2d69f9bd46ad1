"""What every request must meet, and what every answer carries, whatever route it is of.

The rules are those of docs/explanation/security.md, "In a browser": each has a test.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets

from flask import Response, g, request, session

from toolsync.config.settings import Config
from toolsync.system.clock import stamp
from toolsync.web.people import NOBODY, Person, digest_of
from toolsync.web.problems import Refused
from toolsync.web.request import config, context, shared

LARGEST = 1024 * 1024
"""Bytes of a request's body, which a forge's hook may have."""
FORM = 256 * 1024
"""Bytes of a form."""
_SAFE = ("GET", "HEAD", "OPTIONS")
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:;"
    " connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_HEADERS = {
    "Content-Security-Policy": _POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}


def require_host() -> None:
    """Refuse a Host that is none of ours: else a page elsewhere reaches us by a name of its own."""
    host = request.host.lower()
    name = host if host.endswith("]") else host.rpartition(":")[0] or host
    if name not in shared().setup.hosts(config()):
        raise Refused(
            421,
            "this server is not known by that name",
            "Use its own address, or add the name to [web] hosts in toolsync.toml.",
        )


def require_own_form(*, by_token: bool) -> None:
    """Refuse a change that another site's page asks for in the person's name."""
    if request.method in _SAFE or by_token:
        return
    site, origin = request.headers.get("Sec-Fetch-Site"), request.headers.get("Origin")
    foreign = site not in (None, "same-origin", "none")
    foreign = foreign or (origin is not None and origin.partition("://")[2] != request.host)
    given = request.form.get("csrf", "")
    if foreign or not hmac.compare_digest(given.encode(), _csrf().encode()):
        raise Refused(
            403,
            "the form is not from this session, or too old; nothing was changed",
            "Go back, load the page anew, and send it again.",
        )


def require_small(most: int) -> None:
    """Refuse a body of more than ``most`` bytes: one that is larger than any of ours."""
    if (request.content_length or 0) > most:
        raise Refused(413, f"the request has more than {most} bytes; nothing was changed", "")


def csrf() -> str:
    """Return the token that every form carries; it belongs to the session."""
    if not session.get("csrf"):
        session["csrf"] = secrets.token_urlsafe(32)
    return _csrf()


def _csrf() -> str:
    return str(session.get("csrf") or secrets.token_urlsafe(8))


def who() -> tuple[Person, bool]:
    """Return who asks, and whether a token says so (which no browser sends by itself)."""
    given = request.headers.get("Authorization", "")
    if given:
        return _by_token(given), True
    settings = config()
    if (found := _by_proxy(settings)) or (found := _by_session()):
        return found, False
    return (Person(name="", role="reader") if settings.web.anonymous else NOBODY), False


def _by_token(given: str) -> Person:
    kind, _, text = given.partition(" ")
    address = f"token {request.remote_addr}"
    if wait := shared().tries.wait(address, 30):
        raise Refused(429, f"too many wrong tokens; try again in {wait:.0f} s", "", wait=wait)
    token = context().journal.accounts.token(digest_of(text)) if kind == "Bearer" else None
    owner = token and context().journal.accounts.get(token.account)
    if token is None or owner is None or token.ends <= stamp(shared().clock.now()):
        shared().tries.fail(address)
        raise Refused(401, "the token is not known, or has ended", "Make one: toolsync user token.")
    least = min((token.role, owner.role), key=("reader", "reviewer").index)
    return Person(name=owner.name, role=least, via=f"token {token.name}")


def _by_proxy(settings: Config) -> Person | None:
    """Return whom a reverse proxy names: believed from its own address alone."""
    name = request.headers.get(settings.web.proxy_header, "")
    unix = "unix" if shared().setup.listen.startswith("unix:") else ""
    if not name or not {request.remote_addr, unix} & {*settings.web.proxies}:
        return None
    account = context().journal.accounts.get(name)
    role = account.role if account else "reader"
    return Person(name=name[:64], role=role) if name.isprintable() else None


def _by_session() -> Person | None:
    name = session.get("name")
    if not isinstance(name, str):
        return None
    account = context().journal.accounts.get(name)
    if account is None or session.get("mark") != mark_of(account.secret, account.role):
        session.clear()  # removed, or another password or role since: log in again
        return None
    return Person(name=account.name, role=account.role)


def mark_of(secret: str, role: str) -> str:
    """Return what ties a session to an account as it is now."""
    return hashlib.sha256(f"{role}:{secret}".encode()).hexdigest()[:24]


def with_headers(response: Response) -> Response:
    """Return an answer with the headers that all have."""
    for name, value in _HEADERS.items():
        response.headers[name] = value
    if "config" in g and g.config.web.https:
        response.headers["Strict-Transport-Security"] = "max-age=31536000"
    if not response.headers.get("Cache-Control"):
        response.headers["Cache-Control"] = "no-store"
    return response
