"""Upstreams of many hosts at once, behind one proxy on the loopback, for tools that follow them.

::

    with Upstreams(folder) as there:
        there.offer(Offer("less", "668", ".tar.gz", orig, signature))
        subprocess.run(argv, env={**os.environ, **there.environment()})

Who goes through the proxy finds at every address, plain or TLS, what a release page, a forge's
list of tags, SourceForge's feed or a file's address would give there. So a debian/watch is followed
as its maintainer wrote it. The certificates are made here by openssl(1), and the environment
names the authority that signs them.
"""

from __future__ import annotations

import gzip
import lzma
import re
import ssl
import subprocess
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from html import escape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, unquote, urlsplit

from toolsync.http.answer import Page, Validators
from toolsync.model.errors import ToolsyncError
from toolsync.watchfile.pages import find
from toolsync.watchfile.parse import parse
from toolsync.watchfile.rules import mangled

NONE = Validators()
_PROOFS = (".asc", ".sig", ".sign", ".gpg", ".txt", ".sig.asc")
_GZIPPED = (".tar.gz", ".tgz")
_HEADS = (".tar.xz", ".tar.bz2", ".txz", ".tbz2", ".zip", *_GZIPPED)
_STEM = re.compile(r"[A-Za-z][\w.+]*(?:-[A-Za-z][\w.+]*)*")
_DIRECT = "deb.debian.org,security.debian.org,archive.ubuntu.com,security.ubuntu.com"
"""Hosts that are asked themselves."""


@dataclass(frozen=True)
class Offer:
    """One release as its upstream has it."""

    source: str
    version: str
    """Without what a distribution adds, such as ``+dfsg``."""
    watch: str
    """The text of the debian/watch by which it is to be found."""
    orig: Path
    signature: Path | None = None

    @cached_property
    def link(self) -> str:
        """The link by which a page of upstream's names the file, as the watch file means it."""
        (source, *_) = parse(self.watch, self.source).sources
        for name in self._names():
            page = Page(
                url=source.page,
                body=_page([name, *self.folders]),
                content_type="text/html",
                validators=NONE,
            )
            if source.is_sourceforge:
                page = replace(page, body=_feed(name))
            try:
                hits = find(source, partial(_always, page))
            except ToolsyncError:
                continue
            found = {mangled(hit.version, source.mangles["uversionmangle"]) for hit in hits}
            if found == {self.version}:
                return name
        raise LookupError(f"{self.source}: no link would be {self.version} for its debian/watch")

    def _names(self) -> Iterator[str]:
        """Yield links that may be upstream's, the likeliest first."""
        (source, *_) = parse(self.watch, self.source).sources
        text = re.sub(r"\\(.)", r"\1", f"{source.pattern} {source.url}")
        stems = [
            *dict.fromkeys(
                [self.source, *(word.removesuffix("-v") for word in _STEM.findall(text))]
            )
        ]
        turned = "-".join(reversed(self.version.split("-", 1)))
        versions = dict.fromkeys([self.version, turned, self.version.replace("~", "-")])
        top = "/".join(urlsplit(source.url).path.strip("/").split("/")[:2])
        for version in versions:
            tags = [f"v{version}", version, *(f"{stem}-{version}" for stem in stems)]
            names = [f"{stem}{mark}{version}" for mark in ("-", "_") for stem in stems]
            if "api.github.com" in source.url:
                place = f"https://api.github.com/repos/{'/'.join(_api_repository(source.url))}"
                yield from (f"{place}/git/refs/tags/{tag}" for tag in tags)
                top = "/".join(_api_repository(source.url))
                there = (f"https://github.com/{top}/releases/download/{tag}/" for tag in tags)
                heads = [(place, name) for place in there for name in names]
                yield from (f"{place}{name}{end}" for end in self.ends for place, name in heads)
            if "github.com" in source.url:
                yield from (f"/{top}/releases/tag/{tag}" for tag in tags)
            for end in self.ends:
                if "github.com" in source.url:
                    yield from (f"/{top}/archive/refs/tags/{tag}{end}" for tag in tags)
                    places = (f"/{top}/releases/download/{tag}/" for tag in tags)
                    yield from (f"{place}{name}{end}" for place in places for name in names)
                yield from (f"{name}{end}" for name in (*names, *tags))

    @cached_property
    def page(self) -> SplitResult:
        """The address of the page that its debian/watch asks for."""
        (source, *_) = parse(self.watch, self.source).sources
        return urlsplit(source.page)

    @cached_property
    def folders(self) -> tuple[str, ...]:
        """The link to the folder that a pattern in its debian/watch's address means, if any."""
        (source, *_) = parse(self.watch, self.source).sources
        head, pattern, _ = source.url.partition("(")
        name = source.url[len(head.rpartition("/")[0]) + 1 :].partition("/")[0]
        parts = self.version.split(".")
        for count in range(len(parts), 0, -1) if pattern else ():
            short = ".".join(parts[:count])
            folder = re.sub(r"\([^)]*\)[+*]?", short, name)
            if re.fullmatch(name, folder):
                return (f"{folder}/",)
        return ()

    @property
    def ends(self) -> tuple[str, ...]:
        """The endings of archives in the form that this one has, its own first."""
        own = "".join(self.orig.suffixes[-2:])
        return (own, ".tar.gz") if own != ".tar.gz" else (own,)

    def has(self, name: str) -> bool:
        """Say whether an address ends in a name of this release."""
        versions = (self.version, "-".join(reversed(self.version.split("-"))))
        return any(re.search(rf"(?<![\d.]){re.escape(v)}(?![\d])", name) for v in versions)

    def data(self, name: str) -> bytes:
        """Return the tarball; what is asked for in gzip's form is given in it."""
        data = self.orig.read_bytes()
        if name.endswith(_GZIPPED) and self.orig.suffix == ".xz":
            return gzip.compress(lzma.decompress(data), mtime=0)
        return data


def _api_repository(url: str) -> list[str]:
    """Return owner and name in an address of GitHub's API."""
    return urlsplit(url).path.strip("/").split("/")[1:3]


def _always(page: Page, _url: str, _accept: str) -> Page:
    return page


class Upstreams:
    """The proxy; its context starts and stops it. ``folder`` gets keys and certificates."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder, self.asked = folder, list[tuple[str, int]]()
        self._offers: list[Offer] = []
        self._contexts: dict[str, ssl.SSLContext] = {}
        self._lock = threading.Lock()
        self._authority()
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.there = self
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.1,))

    def __enter__(self) -> Upstreams:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def offer(self, offer: Offer) -> None:
        """Offer a release from now on, beside what its source has already.

        Raises LookupError where no link would be found by its debian/watch.
        """
        _ = offer.link
        self._offers.append(offer)

    def environment(self, offer: Offer) -> dict[str, str]:
        """Return the variables by which a program finds one of the offers everywhere."""
        port = self._server.server_port
        # Whose page is asked is told by the proxy's user: many packages are followed at once.
        proxy = f"http://{offer.source}:x@127.0.0.1:{port}"
        return {
            **dict.fromkeys(("http_proxy", "https_proxy", "HTTPS_PROXY"), proxy),
            **dict.fromkeys(("no_proxy", "NO_PROXY"), _DIRECT),
            "REQUESTS_CA_BUNDLE": str(self.folder / "authority.pem"),
        }

    def answer(self, source: str, url: str) -> tuple[int, str, bytes]:
        """Return status, content type and body of what an address gives."""
        offers = [one for one in self._offers if one.source == source]
        found = self._answer(offers, url) if offers else (403, "text/plain", b"nobody's")
        self.asked.append((url, found[0]))
        return found

    def _answer(self, offers: Sequence[Offer], url: str) -> tuple[int, str, bytes]:
        offer = offers[0]
        offers = [one for one in offers if one.page.path == urlsplit(url).path] or offers
        parts = urlsplit(url)
        path = unquote(parts.path)
        name = path.rpartition("/")[2]
        path = path.removesuffix("/download")
        if path.endswith(_HEADS) or "/tarball/" in path:
            if offer.has(path):
                return 200, "application/octet-stream", offer.data(path)
            return 404, "text/plain", b""
        if name.endswith(_PROOFS):
            if offer.signature and offer.has(path):
                return 200, "application/pgp-signature", offer.signature.read_bytes()
            return 404, "text/plain", b""
        if "rss" in path or "rss" in parts.query:
            return 200, "application/rss+xml", _feed(offer.link)
        links = dict.fromkeys(link for one in offers for link in (one.link, *one.folders))
        return 200, "text/html; charset=utf-8", _page([*links])

    def context(self, host: str) -> ssl.SSLContext:
        """Return the TLS context of a host, whose certificate is made where there is none."""
        with self._lock:
            if host not in self._contexts:
                self._contexts[host] = self._certified(host)
            return self._contexts[host]

    def _authority(self) -> None:
        key, cert = self.folder / "authority.key", self.folder / "authority.pem"
        if not cert.exists():
            self._openssl(
                *("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", cert),
                *("-days", "30", "-subj", "/CN=Loopback"),
            )

    def _certified(self, host: str) -> ssl.SSLContext:
        key, cert, ext = (self.folder / f"{host}.{end}" for end in ("key", "pem", "ext"))
        request = self.folder / f"{host}.csr"
        ext.write_text(f"subjectAltName=DNS:{host}\n")
        self._openssl(
            *("req", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", request),
            *("-subj", f"/CN={host[:60]}"),
        )
        self._openssl(
            *("x509", "-req", "-in", request, "-CA", self.folder / "authority.pem"),
            *("-CAkey", self.folder / "authority.key", "-CAcreateserial", "-out", cert),
            *("-days", "30", "-extfile", ext),
        )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(cert, key)
        return context

    def _openssl(self, *words: str | Path) -> None:
        argv = ["openssl", *map(str, words)]
        subprocess.run(argv, check=True, capture_output=True, timeout=60)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    there: Upstreams


class _Handler(BaseHTTPRequestHandler):
    """One client of the proxy: a plain request, or a tunnel and what is asked inside it."""

    protocol_version = "HTTP/1.1"
    timeout = 60
    host, source = "", ""

    def do_CONNECT(self) -> None:
        """Open the tunnel, at whose other end we are as well."""
        self.host, self.source = self.path.partition(":")[0], self._user()
        self.send_response(200, "Connected")
        self.end_headers()
        tls = self._there.context(self.host).wrap_socket(self.connection, server_side=True)
        self.connection = self.request = tls
        self.rfile = tls.makefile("rb")
        self.wfile = tls.makefile("wb", buffering=0)  # type: ignore[assignment]
        self.close_connection = False

    def do_GET(self) -> None:
        """Answer."""
        url = self.path if "://" in self.path else f"https://{self.host}{self.path}"
        status, kind, body = self._there.answer(self.source or self._user(), url)
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)

    def do_HEAD(self) -> None:
        """Answer without the body."""
        self.do_GET()

    @property
    def _there(self) -> Upstreams:
        assert isinstance(self.server, _Server)
        return self.server.there

    def _user(self) -> str:
        import base64

        word = self.headers.get("Proxy-Authorization", "").partition(" ")[2]
        return base64.b64decode(word).decode().partition(":")[0]

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


def _page(links: Sequence[str]) -> bytes:
    return "".join(f'<a href="{escape(link)}">x</a>\n' for link in links).encode()


def _feed(link: str) -> bytes:
    item = (
        f"<item><title>/{escape(link)}</title>"
        f"<link>https://files.loopback.invalid/{escape(link)}</link></item>"
    )
    return f"<?xml version='1.0'?><rss version='2.0'><channel>{item}</channel></rss>".encode()
