"""launchpadlib's connection, with our own retries and error messages.

launchpadlib sleeps two minutes over a failing server and asks a person when a token fails;
here a caller decides on the first, and the second cannot happen.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Protocol

from toolsync.model.errors import Held, NotThere, SetupError, Unreachable
from toolsync.system.launchpadvalues import Entry


class Response(Protocol):
    """The head of an answer, as httplib2 gives it."""

    status: int

    def get(self, name: str, default: str, /) -> object:
        """Return a header's value."""


_TOKEN_TROUBLES = (
    *("Unknown access token", "Unauthorized token", "Expired token", "Invalid signature"),
    "Unknown consumer",
)
"""How Launchpad's answer begins where the token is at fault (its webapp/authentication.py)."""
Answer = tuple[Response, bytes]
Again = Callable[[int, str], bool]
"""Takes how often a server has failed and its Retry-After; waits, and says whether to go on."""


def require_launchpadlib() -> None:
    """Raise SetupError where the library is missing: who has no PPA needs none."""
    if find_spec("launchpadlib") is None:
        raise SetupError(
            "launchpadlib is not on this machine, wanted to ask Launchpad",
            resolution="Install it with: apt install toolsync-ppa (or python3-launchpadlib)",
        )


def connect(
    root: str,
    *,
    version: str,
    consumer: str,
    cache: str,
    token: Path | None,
    timeout: float,
    again: Again,
) -> Entry:
    """Return launchpadlib's service root, asked with a token's file or anonymously."""
    require_launchpadlib()
    from launchpadlib.credentials import AnonymousAccessToken, Credentials
    from launchpadlib.launchpad import Launchpad, LaunchpadOAuthAwareHttp

    class Http(LaunchpadOAuthAwareHttp):  # type: ignore[misc]
        def request(self, uri: str, *words: object, **more: object) -> object:
            return _patiently(lambda: super(Http, self).request(uri, *words, **more), uri, again)

    class Service(Launchpad):  # type: ignore[misc]
        def httpFactory(self, *words: object) -> object:  # noqa: N802 (launchpadlib's name)
            return Http(self, None, *words)

    if token is None:
        credentials = Credentials(consumer, access_token=AnonymousAccessToken())
    else:
        credentials = _loaded(Credentials, token)
    return Service(
        credentials, None, None, service_root=root, cache=cache, timeout=timeout, version=version
    )


def _patiently(
    ask: Callable[[], tuple[Response, bytes]], uri: str, again: Again
) -> tuple[Response, bytes]:
    """Return the answer of a server that may fail for a while."""
    from http.client import HTTPException

    import httplib2

    tried = 0
    while True:
        try:
            response, content = ask()
            if response.status < 500 and response.status != 429:
                return response, content
            trouble, told = f"status {response.status}", str(response.get("retry-after", ""))
        except (OSError, httplib2.HttpLib2Error, HTTPException, EOFError) as error:
            trouble, told = f"{type(error).__name__}: {error}", ""
        if not again(tried, told):
            raise Unreachable(
                f"Launchpad's API does not answer ({uri.partition('?')[0]}): {trouble}",
                resolution="Run again later.",
            )
        tried += 1


def refusal(what: str, error: object, *, anonymous: bool) -> Exception:
    """Return the error for an answer that is a refusal, by its status."""
    status = getattr(getattr(error, "response", None), "status", 0)
    words = said(error)
    if status == 401:
        return _unauthorized(what, words, anonymous=anonymous)
    if status == 403:
        return SetupError(
            f"Launchpad does not allow {what}: {words}",
            resolution="Log in as somebody who may: toolsync launchpad login",
        )
    if status in (404, 410):
        return NotThere(
            f"Launchpad has not: {what}",
            resolution="See that it is spelled right, exists, and is not private.",
        )
    if status == 400:
        return Held(f"Launchpad refuses {what}: {words}", resolution="Mend what it says.")
    return Unreachable(
        f"Launchpad answers with status {status} about {what}: {words}",
        resolution="Run again later.",
    )


def _unauthorized(what: str, words: str, *, anonymous: bool) -> SetupError:
    """Return the error for a 401, which Launchpad gives for missing rights too."""
    if words.startswith("Inactive account"):
        return SetupError(
            f"the account that has logged in at Launchpad is not active, asked for {what}",
            resolution="Let it be activated, or log in as somebody else: toolsync launchpad login",
        )
    if words.startswith(_TOKEN_TROUBLES):
        return SetupError(
            f"Launchpad no longer takes the token for {what}: {words}",
            resolution="It was revoked or has expired. Log in anew: toolsync launchpad login",
        )
    if anonymous:
        return SetupError(
            f"Launchpad does not show {what} to everybody: it is private, switched off or being"
            f" deleted; {words}",
            resolution="Switch it on again on its page, name another, or, if it is private, log in"
            " once: toolsync launchpad login",
        )
    return SetupError(
        f"whoever has logged in at Launchpad has no right to {what}: {words}",
        resolution="Let its owner give the rights, or log in as somebody who has them: toolsync"
        " launchpad login",
    )


def said(error: object) -> str:
    """Return the first line of what Launchpad says with a refusal."""
    content = getattr(error, "content", b"") or b""
    text = content.decode(errors="replace") if isinstance(content, bytes) else str(content)
    first = next((line.strip() for line in text.splitlines() if line.strip()), "no reason given")
    return first[:300]


def _loaded(kind: Any, path: Path) -> Any:
    if path.stat().st_mode & 0o077:
        raise SetupError(
            f"{path} can be read by others, and whoever reads it can act as you",
            resolution=f"chmod 600 {path}; if others may have read it, revoke it on Launchpad.",
        )
    try:
        return kind.load_from_path(str(path))
    except Exception as error:
        raise SetupError(
            f"{path} is no token of Launchpad's: {type(error).__name__}",
            resolution="Log in anew: toolsync launchpad login",
        ) from error
