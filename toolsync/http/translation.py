"""Translate the HTTP library's exceptions into errors of toolsync.

The HTTP library nests its exceptions, and their texts may carry addresses with credentials or
what a server sent. What leaves this module is short, printable and without secrets.
"""

from __future__ import annotations

import errno
import os
import re
import ssl
from urllib.parse import urlsplit

import requests
import urllib3
from urllib3.util.ssl_match_hostname import CertificateError

from toolsync.http.failures import ProxyFailed, Transient
from toolsync.model.errors import SetupError, ToolsyncError, Unreachable
from toolsync.system.headers import bare, plain

_OBJECT = re.compile(r"^<?[\w.]+(?:\(host=.*?\)| object at \w+>?): ")
"""How the HTTP library names a connection before it says what went wrong."""
_PLACE = re.compile(r" \(_ssl\.c:\d+\)$")
_MAX_WORDS = 300
BUNDLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
"""Variables that name certificates to trust besides: a file or a folder of them."""
TRUST = ("SSL_CERT_FILE", "SSL_CERT_DIR", *BUNDLES)
_PROXIES = frozenset(("http", "https", "socks4", "socks4a", "socks5", "socks5h"))
_NO_PROXY = (
    requests.exceptions.InvalidProxyURL,
    requests.exceptions.InvalidSchema,
    urllib3.exceptions.LocationValueError,
)
_CERTIFICATE = (ssl.SSLCertVerificationError, CertificateError)
FAILURES = (
    requests.RequestException,
    urllib3.exceptions.HTTPError,
    OSError,
    UnicodeError,
    Transient,
)
"""What may come out of a request; older libraries take a closed socket for the body's end."""


def translated(error: Exception, url: str, seconds: float | None) -> Exception:
    """Return the error to raise for one of ``FAILURES``; ``seconds`` is given if time ran out."""
    if seconds is not None:
        return Unreachable(
            f"{bare(url)} did not finish within {seconds:.0f} s",
            resolution="Raise [limits] seconds in toolsync.toml if the line is slow.",
        )
    if isinstance(error, ToolsyncError):
        return error
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        return error
    if isinstance(error, requests.exceptions.InvalidURL | UnicodeError):
        return SetupError(f"{bare(url)!r} is no address: {_words(error)}")
    cause = _cause(error)
    if isinstance(cause, _CERTIFICATE):
        return Unreachable(
            f"{bare(url)} has a certificate that is not trusted: {_words(cause)}",
            resolution="See that this machine's clock and its ca-certificates are right; else the "
            f"server is not the one that it says it is. What counts: {trusted()}.",
        )
    if isinstance(cause, urllib3.exceptions.IncompleteRead):
        come, missing = cause.args[0], cause.args[1]
        return Transient(f"{bare(url)} broke off: {come} bytes came, {missing} are missing")
    return Transient(f"{bare(url)} could not be reached: {_words(cause)}")


def through_proxy(error: Exception, proxy: str, url: str) -> Exception:
    """Return the error that names the proxy where it may be at fault, else ``error``."""
    cause = _cause(error)
    if isinstance(error, _NO_PROXY) or (
        isinstance(error, requests.exceptions.InvalidURL) and not _is_proxy(proxy)
    ):
        return SetupError(
            f"the proxy {bare(proxy)!r} cannot be used: {_words(cause)}",
            resolution="Mend http_proxy, https_proxy or all_proxy in the environment.",
        )
    refused = isinstance(error, requests.ConnectionError | requests.Timeout)
    if refused and not isinstance(cause, _CERTIFICATE):
        return ProxyFailed(proxy, url, _words(cause))
    return error


def _is_proxy(proxy: str) -> bool:
    try:
        parts = urlsplit(proxy if "://" in proxy else f"http://{proxy}")
        return parts.scheme in _PROXIES and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def trusted() -> str:
    """Say which certificates are trusted: the system's, and those that the environment names."""
    places = [f"{name}={value}" for name in TRUST if (value := os.environ.get(name))]
    return ", ".join(places) or "the system's store (ca-certificates)"


def _cause(error: BaseException) -> BaseException:
    """Return the exception that the HTTP library's ones are nested around."""
    while not isinstance(error, urllib3.exceptions.IncompleteRead):
        inner = getattr(error, "reason", None)
        nested = inner if isinstance(inner, BaseException) else None
        nested = nested or next((a for a in error.args if isinstance(a, BaseException)), None)
        if nested is None or nested is error:
            break
        error = nested
    return error


def _words(error: BaseException) -> str:
    said = _PLACE.sub("", _OBJECT.sub("", " ".join(str(error).split())))
    return plain(bare(said), _MAX_WORDS)
