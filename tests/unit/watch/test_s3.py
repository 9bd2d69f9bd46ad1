"""Listings of S3 buckets, in both versions of the API, with every way of paging."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import parse_qs, quote_plus, urlsplit
from xml.sax.saxutils import escape

import pytest

from tests.servers.web import Answer, Asked
from tests.support.watching import Watcher, versions
from toolsync.model.errors import Drifted, Hostile
from toolsync.watch import s3

PATTERN = r"tool-(?P<version>\d[\d.]*(?:-\d+)?)\.zip"
NAMESPACE = "http://s3.amazonaws.com/doc/2006-03-01/"


@pytest.fixture
def upstream() -> Iterator[Watcher]:
    with Watcher() as watcher:
        yield watcher


def listing(
    *keys: str, more: str = "", folders: tuple[str, ...] = (), encoded: bool = False
) -> str:
    def spelled(key: str) -> str:
        return escape(quote_plus(key, safe="/") if encoded else key)

    contents = "".join(
        f"<Contents><Key>{spelled(key)}</Key><LastModified>2023-09-20T10:00:00.000Z</LastModified>"
        f"<ETag>&quot;abc-2&quot;</ETag><Size>1234</Size></Contents>"
        for key in keys
    )
    prefixes = "".join(
        f"<CommonPrefixes><Prefix>{spelled(f)}</Prefix></CommonPrefixes>" for f in folders
    )
    kind = "<EncodingType>url</EncodingType>" if encoded else ""
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<ListBucketResult xmlns="{NAMESPACE}">'
        f"<Name>b</Name>{kind}{more}{contents}{prefixes}</ListBucketResult>"
    )


def truncated(**next_page: str) -> str:
    return "<IsTruncated>true</IsTruncated>" + "".join(
        f"<{name}>{escape(value)}</{name}>" for name, value in next_page.items()
    )


def test_byte_order_is_not_the_order_of_versions(upstream: Watcher) -> None:
    keys = ("tool-1.5.19.zip", "tool-1.5.7.zip", "tool.noarch.rpm", "tool.zip")
    upstream.web.serve("/", listing(*keys), type="application/xml")
    sighting = upstream.look(kind="s3", pattern=PATTERN)
    assert versions(sighting) == ["1.5.19", "1.5.7"]
    newest = sighting.newest
    assert newest.url == upstream.web.url + "/tool-1.5.19.zip"
    assert (newest.etag, newest.size) == ("abc-2", 1234)
    assert newest.published == "2023-09-20T10:00:00Z"
    assert sighting.matched == 2
    assert parse_qs(urlsplit(upstream.web.asked[0].path).query) == {"list-type": ["2"]}


def test_two_spellings_of_one_history(upstream: Watcher) -> None:
    upstream.web.serve("/", listing("tool-1.3-57419.zip", "tool-1.3-62308.zip", "tool-1.4.0.2.zip"))
    sighting = upstream.look(kind="s3", pattern=PATTERN, mangle=(r"s/-(\d+)$/.$1/",))
    assert versions(sighting) == ["1.4.0.2", "1.3.62308", "1.3.57419"]
    assert sighting.releases[1].raw_version == "1.3-62308"


def test_version_2_hands_on_by_token_and_keeps_the_query(upstream: Watcher) -> None:
    def answer(asked: Asked) -> Answer:
        query = parse_qs(urlsplit(asked.path).query)
        assert query["prefix"] == ["p/"]
        if query.get("continuation-token") == ["a b+c/="]:
            return Answer(listing("p/tool-2.0.zip"))
        return Answer(listing("p/tool-1.0.zip", more=truncated(NextContinuationToken="a b+c/=")))

    upstream.web.serve_by("/bucket/", answer)
    url = upstream.web.url + "/bucket/?prefix=p/"
    sighting = upstream.look(kind="s3", url=url, pattern=PATTERN)
    assert versions(sighting) == ["2.0", "1.0"]
    assert sighting.newest.url == upstream.web.url + "/bucket/p/tool-2.0.zip"
    assert sighting.pages == 2


def test_version_1_without_a_delimiter_goes_on_at_the_last_key(upstream: Watcher) -> None:
    pages = {
        "": listing("a.txt", "tool-1.0.zip", more=truncated()),
        "tool-1.0.zip": listing("tool-1.1.zip", "z & z.txt", more=truncated()),
        "z & z.txt": listing("zz", more="<IsTruncated>false</IsTruncated>"),
    }
    upstream.web.serve_by("/", lambda a: Answer(pages[_marker(a)]))
    assert versions(upstream.look(kind="s3", pattern=PATTERN)) == ["1.1", "1.0"]
    assert len(upstream.web.asked) == 3


def _marker(asked: Asked) -> str:
    return parse_qs(urlsplit(asked.path).query).get("marker", [""])[0]


def test_version_1_with_a_delimiter_and_pages_of_folders_alone(upstream: Watcher) -> None:
    pages = {
        "": listing(more=truncated(NextMarker="b/"), folders=("a/", "b/")),
        "b/": listing(more=truncated(), folders=("c/",)),
        "c/": listing("tool-3.0.zip"),
    }
    upstream.web.serve_by("/", lambda a: Answer(pages[_marker(a)]))
    url = upstream.web.url + "/?delimiter=/"
    assert versions(upstream.look(kind="s3", url=url, pattern=PATTERN)) == ["3.0"]


def test_url_encoded_keys(upstream: Watcher) -> None:
    pages = {
        "": listing("ä + b/tool-1.0.zip", more=truncated(), encoded=True),
        "ä + b/tool-1.0.zip": listing("ä + b/tool-1.1.zip", encoded=True),
    }
    upstream.web.serve_by("/", lambda a: Answer(pages[_marker(a)]))
    sighting = upstream.look(kind="s3", pattern=PATTERN)
    assert versions(sighting) == ["1.1", "1.0"]
    assert sighting.newest.url == upstream.web.url + "/%C3%A4%20%2B%20b/tool-1.1.zip"
    assert sighting.newest.filename == "tool-1.1.zip"


def test_a_pattern_with_slashes_meets_the_folders(upstream: Watcher) -> None:
    keys = ("plugin/1.2.707.0/ubuntu_64bit/x.deb", "plugin/1.2.9.0/ubuntu_64bit/x.deb", "x.deb")
    upstream.web.serve("/", listing(*keys))
    pattern = r"plugin/(?P<version>[\d.]+)/ubuntu_64bit/x\.deb"
    assert versions(upstream.look(kind="s3", pattern=pattern)) == ["1.2.707.0", "1.2.9.0"]


def test_no_namespace_is_fine(upstream: Watcher) -> None:
    upstream.web.serve("/", listing("tool-1.0.zip").replace(f' xmlns="{NAMESPACE}"', ""))
    assert versions(upstream.look(kind="s3", pattern=PATTERN)) == ["1.0"]


BAD = {
    "": "empty page",
    "  \n": "empty page",
    "<Error><Code>AccessDenied</Code><Message>No</Message></Error>": "error.*AccessDenied: No",
    "<!DOCTYPE html><html><body>Sorry</body></html>": "HTML page",
    "<rss/>": "<rss>; ListBucketResult was wanted",
    "<ListBucketResult><Contents>": "is no XML",
    "{}": "is no XML",
    "1.2.3": "is no XML",
    listing(): "names no key",
    listing("tool.zip"): "names no key that matches .* 1 entries, such as tool.zip",
    listing(folders=("2.0/",)): "there are folders: 2.0/",
    listing("tool-1.0.zip", more=truncated(NextContinuationToken="same")): "in a circle",
    listing("tool-1.0.zip", more=truncated()): "in a circle",
    listing(more=truncated()): "not where",
}


@pytest.mark.parametrize(("body", "said"), BAD.items())
def test_bad_pages_are_told(upstream: Watcher, body: str, said: str) -> None:
    upstream.web.serve("/", body, type="application/xml")
    with pytest.raises(Drifted, match=said) as caught:
        upstream.look(kind="s3", pattern=PATTERN)
    assert upstream.web.url in str(caught.value)
    assert caught.value.resolution


def test_entities_are_never_read(upstream: Watcher) -> None:
    bomb = (
        '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY f SYSTEM "file:///etc/hostname">]>'
        "<ListBucketResult><Contents><Key>tool-1.0.zip&f;</Key></Contents></ListBucketResult>"
    )
    upstream.web.serve("/", bomb, type="application/xml")
    with pytest.raises(Hostile, match="document type"):
        upstream.look(kind="s3", pattern=PATTERN)


def test_an_endless_listing_ends(upstream: Watcher) -> None:
    def answer(asked: Asked) -> Answer:
        number = len(upstream.web.asked)
        return Answer(listing("a", more=truncated(NextContinuationToken=f"token {number}")))

    upstream.web.serve_by("/", answer)
    with pytest.raises(Hostile, match="after 100 pages"):
        upstream.look(kind="s3", pattern=PATTERN)
    assert len(upstream.web.asked) == s3.MAX_PAGES + 1


@pytest.mark.parametrize(
    ("key", "path"),
    [
        ("a b/tool-1.0+x.zip", "/a%20b/tool-1.0%2Bx.zip"),
        ("tööl/tool-1.0.zip", "/t%C3%B6%C3%B6l/tool-1.0.zip"),
        ("50%/tool-1.0.zip", "/50%25/tool-1.0.zip"),
        ("a#b?~/tool-1.0.zip", "/a%23b%3F~/tool-1.0.zip"),
    ],
)
def test_a_key_is_escaped_so_that_s3_reads_it_back(upstream: Watcher, key: str, path: str) -> None:
    upstream.web.serve("/", listing(key), type="application/xml")
    wide = r"tool-(?P<version>.+)\.zip"
    assert upstream.look(kind="s3", pattern=wide).newest.url == upstream.web.url + path
    template = upstream.web.url + "/{key}"
    found = upstream.look(kind="s3", pattern=wide, file_url=template)
    assert found.newest.url == upstream.web.url + path
