"""Feed the readers of strangers' bytes with what coverage-guided mutation finds.

``python -m tests.tools.fuzz TARGET --seconds N`` runs one target under atheris, which ``make fuzz``
installs, and says how many inputs it tried. Anything but the project's own errors is a finding,
as is an input that takes longer than 5 seconds; the input is then kept in the current folder.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import random
import sys
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import atheris  # type: ignore[import-not-found, import-untyped, unused-ignore]

with atheris.instrument_imports(include=["toolsync"]):
    from toolsync.archives.extract import read_members
    from toolsync.config.definition import CompatPolicy, Tool, Verify, Watch
    from toolsync.config.licensing import LicensePolicy
    from toolsync.config.settings import Limits
    from toolsync.http.answer import Page, Validators
    from toolsync.http.client import Http
    from toolsync.model.errors import Held, Hostile, SetupError, TryAgain
    from toolsync.model.versions import NotAVersion, mangle, upstream_key
    from toolsync.system.gpgpackets import PUBLIC_KEY, SIGNATURE, unreadable
    from toolsync.system.ssh import signer_of
    from toolsync.verify import bundles
    from toolsync.verify.checksum import match
    from toolsync.verify.sumlines import as_text, parse_sums
    from toolsync.watch import graphql
    from toolsync.watch.kinds import KINDS
    from toolsync.watch.pages import Pages
    from toolsync.watch.together import Wanted
    from toolsync.watchfile import parse

from tests.support.archives import COMPRESSORS, GOOD, deb_of, gz, symlink, tar, zip_of

_LIMITS = Limits(unpacked_bytes=16 * 1024 * 1024, members=2_000)
_PLACE = Path(tempfile.gettempdir())
_RELEASE = Path(__file__)
"""Stands for a release of which a list may state the digest."""
_WIDE = r"(?s)(?P<version>.+)"
_PAGES = ("feed", "forgejo", "github", "gitlab", "html", "index", "json", "s3", "text")


class _Given(Pages):
    """Answers every question with the same page."""

    def __init__(self, answer: Page) -> None:
        super().__init__(Http(user_agent="fuzz"), _LIMITS, None)
        self._answer = answer

    def __call__(self, url: str, accept: str, /) -> Page:
        self.count += 1
        if self.count > 20:  # one that always names a next page
            raise Hostile("too many pages", resolution="")
        return self._answer


def archive(data: bytes) -> None:
    """Read an archive of any kind, as it comes."""
    with tempfile.NamedTemporaryFile(dir=_PLACE) as file:
        file.write(data)
        file.flush()
        with contextlib.suppress(Held):
            for member in read_members(Path(file.name), _LIMITS):
                while member.data.read(65536):
                    pass


def tarball(data: bytes) -> None:
    """Read a tar whose compression is sound, so that mutations reach its members."""
    archive(gz(data))


def page(data: bytes) -> None:
    """Read a release page with the reader that the first byte chooses."""
    if len(data) < 2:
        return
    kind = _PAGES[data[0] % len(_PAGES)]
    types = ("text/html", "application/json", "application/xml", "text/plain")
    answer = Page(
        url="http://vendor.test/",
        body=data[2:],
        content_type=types[data[1] % len(types)],
        validators=Validators(),
    )
    with contextlib.suppress(Held, SetupError, TryAgain):
        KINDS[kind].read(_tool(kind), _Given(answer))


def definition(data: bytes) -> None:
    """Parse a debian/watch."""
    with contextlib.suppress(SetupError):
        parse.parse(data.decode("utf-8", "replace"), "tool")


def version(data: bytes) -> None:
    """Mangle a version by a rule, and compare what comes out."""
    rule, _, raw = data.decode("utf-8", "replace").partition("\n")
    with contextlib.suppress(SetupError, NotAVersion):
        assert upstream_key(mangle(raw, (rule,) if rule else ())) <= upstream_key("9" * 200)


def sums(data: bytes) -> None:
    """Read a list of checksums, and look for keys and signatures in it."""
    text = as_text(data)
    parse_sums(text)
    with contextlib.suppress(Held):
        match(text, _RELEASE, ("tool-1.0.tar.gz", "dl/tool-1.0.tar.gz"))
    for kind in (SIGNATURE, PUBLIC_KEY):
        unreadable(data, kind)
    if (key := signer_of(data)) is not None:
        assert key.fingerprint


def bundle(data: bytes) -> None:
    """Read what lies beside a file as Sigstore's bundles, and what they say of themselves."""
    for found in bundles.bundles_in(data):
        json.dumps(found)
        assert 0 <= bundles.signed_at(found) < 10**11
        if (stated := bundles.statement_of(found)) is not None:
            assert all(isinstance(name, str) for name in bundles.subjects_of(stated, "0" * 64))


def forge(data: bytes) -> None:
    """Read a forge's answers, an API's and a feed's, of all the ways in which they are asked."""
    if len(data) < 2:
        return
    kind = ("github", "gitlab", "forgejo", "npm")[data[0] % 4]
    types = ("application/json", "application/atom+xml", "text/html")
    answer = Page(
        url="http://vendor.test/o/r",
        body=data[2:],
        content_type=types[data[1] % len(types)],
        validators=Validators(),
    )
    tool = _tool(kind)
    watch = replace(tool.watch, releases=("tags", "releases")[data[1] // 3 % 2])
    watch = replace(watch, file_url="" if data[1] // 6 % 2 else watch.file_url)
    watch = replace(watch, pattern=_WIDE if data[1] // 12 % 2 else watch.pattern)
    tool = replace(tool, watch=watch)
    with contextlib.suppress(Held, SetupError, TryAgain):
        KINDS[kind].read(tool, _Given(answer))


class _Answering(Http):
    """Answers every question to many repositories with the same page."""

    def __init__(self, answer: Page) -> None:
        super().__init__(user_agent="fuzz")
        self._answer, self.count = answer, 0

    def token(self, url: str) -> str:
        """Return any token."""
        return "token"

    def query(self, url: str, body: bytes, **_: Any) -> Page:
        """Return the page; a listing that does not end must be left in the end."""
        self.count += 1
        assert self.count <= 100
        return self._answer


def asked_together(data: bytes) -> None:
    """Read GraphQL answers over two repositories, then each one's listing as its page."""
    if not data:
        return
    answer = Page(
        url="http://vendor.test/api/graphql",
        body=data[1:],
        content_type="application/json",
        validators=Validators(),
        limited=", until 2026-01-01 00:00:00 UTC",
    )
    tool = _tool("github")
    watch = replace(tool.watch, releases=("tags", "releases")[data[0] % 2], file_url="")
    watch = replace(watch, pattern=_WIDE if data[0] // 2 % 2 else watch.pattern)
    tool = replace(tool, watch=watch)
    wanted = [Wanted(tool, ""), Wanted(tool, "tool-1.0")]
    with contextlib.suppress(Held, SetupError, TryAgain):
        for heard in graphql.ask(answer.url, wanted, _Answering(answer), _LIMITS):
            if isinstance(heard, Page):
                ready = Pages(Http(user_agent="fuzz"), _LIMITS, ready=lambda page=heard: page)  # type: ignore[misc]
                with contextlib.suppress(Held, SetupError, TryAgain), ready:
                    KINDS["github"].read(tool, ready)


def _tool(kind: str) -> Tool:
    words: dict[str, Any] = {
        "kind": kind,
        "url": "http://vendor.test/o/r",
        "project": "tool",
        "file_url": "http://vendor.test/{version}",
        "pattern": r"tool-(?P<version>\d[\d.]*)",
        "path": "a[]" if kind == "json" else "",
    }
    return Tool(
        name="tool",
        folder=_PLACE,
        summary="a tool",
        homepage="http://vendor.test/",
        watch=Watch(**words),
        verify=Verify(),
        license=LicensePolicy(),
        compat=CompatPolicy(),
        source="tool",
        series=(),
    )


def _archives() -> list[bytes]:
    items = (*GOOD, symlink("foo-2.0/l", "README"))
    packed = [COMPRESSORS[form](tar(items)) for form in COMPRESSORS]
    return [*packed, zip_of(items), deb_of("data.tar.xz", COMPRESSORS["xz"](tar(items)))]


_LISTING = b"<ListBucketResult><Contents><Key>tool-1.0</Key></Contents></ListBucketResult>"
_FEED = b'<feed><entry><title>tool-1.0</title><link href="http://h/tool-1.0"/></entry></feed>'

TARGETS: Mapping[str, tuple[Callable[[bytes], None], Callable[[], list[bytes]]]] = {
    "archive": (archive, _archives),
    "tar": (tarball, lambda: [tar((*GOOD, symlink("foo-2.0/l", "README")))]),
    "page": (
        page,
        lambda: [
            b"\x04\x00<a href=tool-1.0.tar.gz>x</a>",
            b'\x05\x01{"files":[{"filename":"tool-1.0.tar.gz","url":"x","hashes":{}}]}',
            b"\x07\x02" + _LISTING,
            b"\x00\x02" + _FEED,
            b'\x06\x01{"a":[{"tag_name":"tool-1.0"}]}',
        ],
    ),
    "watchfile": (
        definition,
        lambda: [
            b'version=4\nopts="uversionmangle=s/-/~/" http://h/ tool@ANY_VERSION@@ARCHIVE_EXT@\n',
            b"Version: 5\n\nSource: http://h/\nMatching-Pattern: tool-([\\d.]+)\\.tar\\.gz\n",
        ],
    ),
    "sums": (
        sums,
        lambda: [
            b"a" * 64 + b"  tool-1.0.tar.gz\nSHA256 (x) = " + b"b" * 64 + b"\n",
            ("tool-1.0: " + "AB CD " * 16 + "\n").encode("utf-16"),
            b'{"files":[{"name":"tool-1.0.tar.gz","sha256":"' + b"a" * 64 + b'"}]}',
            b"| [tool-1.0.tar.gz](x) | 2 MiB | `" + b"a" * 64 + b"` |\n",
            b"-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nxioGY4d/4xsAAAAg+U2nu0jW\n",
            b"\xc6\x0a\x04\x00\x00\x00\x00\x1cabcd",
        ],
    ),
    "bundle": (
        bundle,
        lambda: [
            b'{"mediaType":"application/vnd.dev.sigstore.bundle.v0.3+json","verificationMaterial":'
            b'{"tlogEntries":[{"integratedTime":"1","inclusionPromise":{"x":1}}]},"dsseEnvelope":'
            b'{"payload":"eyJzdWJqZWN0IjpbeyJuYW1lIjoiYSIsImRpZ2VzdCI6eyJzaGEyNTYiOiIwIn19XX0="}}',
            b'{"attestations":[{"bundle":{"mediaType":"application/vnd.dev.sigstore.bundle"}}]}',
            b'{"attestation_bundles":[{"attestations":[{"verification_material":{"certificate":"x"'
            b',"transparency_entries":[{}]},"envelope":{"statement":"e30=","signature":"x"}}]}]}',
        ],
    ),
    "forge": (
        forge,
        lambda: [
            b'\x00\x00[{"name":"tool-1.0","commit":{"sha":"x"}},{"tag_name":"tool-1.1"}]',
            b"\x00\x01" + _FEED,
            b'\x01\x03[{"tag_name":"tool-1.0","released_at":"2025-01-01","assets":{"links":'
            b'[{"name":"tool-1.0.tar.gz","url":"http://h/tool-1.0.tar.gz"}]}}]',
            b'\x02\x09[{"tag_name":"tool-1.0","draft":false,"assets":[{"name":"tool-1.0.tar.gz",'
            b'"browser_download_url":"http://h/tool-1.0.tar.gz","size":1}]}]',
            b'\x03\x00{"versions":{"1.0.0":{"dist":{"tarball":"http://h/t.tgz","integrity":'
            b'"sha512-x"}}},"dist-tags":{"latest":"1.0.0"},"time":{"1.0.0":"2025-01-01"}}',
        ],
    ),
    "graphql": (
        asked_together,
        lambda: [
            b'\x00{"data":{"r0":{"listed":{"totalCount":2,"pageInfo":{"hasNextPage":true,'
            b'"endCursor":"a"},"nodes":[{"name":"tool-1.0","target":{"tagger":{"date":'
            b'"2025-01-01T00:00:00Z"}}}]}},"r1":null},"errors":[{"path":["r1"],"message":"x"}]}',
            b'\x01{"data":{"r0":{"listed":{"nodes":[{"tagName":"tool-1.0","publishedAt":'
            b'"2025-01-01T00:00:00Z","isDraft":false,"isPrerelease":true}]}},"r1":{"listed":{}}}}',
            b'\x00{"errors":[{"type":"RATE_LIMITED","message":"x"}]}',
            b'\x02{"data":{"r0":{"listed":{"nodes":[{"name":"1.0-\\ud800"}]}}}}',
        ],
    ),
    "version": (version, lambda: [b"s/-(\\d+)$/.$1/\n1.3-57676", b"tr/a-z/A-Z/\n1.0rc1"]),
}
"""What is fed to each target, and what its inputs grow from."""


def main() -> None:
    """Run one target and say how many inputs it took."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("target", choices=TARGETS)
    parser.add_argument("--seconds", type=int, default=60)
    options = parser.parse_args()
    act, seeds = TARGETS[options.target]
    with tempfile.TemporaryDirectory(prefix="toolsync-fuzz-") as folder:
        for number, content in enumerate(seeds()):
            (Path(folder) / f"seed{number}").write_bytes(content)
        limits = [f"-max_total_time={options.seconds}", "-timeout=5", "-rss_limit_mb=1024"]
        seed = random.SystemRandom().randrange(2**31)
        argv = [sys.argv[0], *limits, f"-seed={seed}", "-print_final_stats=1", "-max_len=65536"]
        atheris.Setup([*argv, folder], act)
        atheris.Fuzz()


if __name__ == "__main__":
    main()
