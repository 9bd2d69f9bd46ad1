"""Feeds: RSS and Atom as they are met in the wild, SourceForge's, and hostile ones."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.watching import Watcher, versions
from toolsync.model.errors import Drifted, Hostile

PATTERN = r"hello-(?P<version>\d[\w.]*)\.tar\.gz"


@pytest.fixture
def upstream() -> Iterator[Watcher]:
    with Watcher() as watcher:
        yield watcher


def look(upstream: Watcher, body: str, **watch: Any) -> Any:
    upstream.web.serve("/feed", body, type="application/rss+xml")
    watch = {"url": upstream.web.url + "/feed", "pattern": PATTERN} | watch
    return upstream.look(kind="feed", **watch)


def sourceforge(*versions: str) -> str:
    items = "".join(
        f"<item><title><![CDATA[/hello/{v}/hello-{v}.tar.gz]]></title>"
        f"<link>https://h/projects/hello/files/hello/{v}/hello-{v}.tar.gz/download</link>"
        f"<guid>https://h/projects/hello/files/hello/{v}/hello-{v}.tar.gz/download</guid>"
        f"<pubDate>Wed, 18 Jan 2017 21:04:05 UT</pubDate><media:content "
        f'xmlns:media="http://video.search.yahoo.com/mrss/" filesize="1234" url="https://h/'
        f'projects/hello/files/hello/{v}/hello-{v}.tar.gz/download"><media:hash algo="md5">'
        f"d41d8cd98f00b204e9800998ecf8427e</media:hash></media:content></item>"
        for v in versions
    )
    return f'<?xml version="1.0"?><rss version="2.0"><channel>{items}</channel></rss>'


def test_sourceforge(upstream: Watcher) -> None:
    sighting = look(upstream, sourceforge("1.9", "1.10", "2.0rc1"))
    assert versions(sighting) == ["1.10", "1.9"]
    newest = sighting.newest
    assert newest.url == "https://h/projects/hello/files/hello/1.10/hello-1.10.tar.gz/download"
    assert (newest.filename, newest.size) == ("hello-1.10.tar.gz", 1234)
    assert newest.published == "2017-01-18T21:04:05Z"


def test_atom_with_links_that_resolve(upstream: Watcher) -> None:
    body = """<feed xmlns="http://www.w3.org/2005/Atom"><entry><title>Hello 9.9 is out</title>
      <link rel="self" href="/hello-8.8.tar.gz"/><link href="dl/hello-1.2.tar.gz"/>
      <updated>2020-01-02T03:04:05+01:00</updated></entry></feed>"""
    newest = look(upstream, body).newest
    assert (newest.version, newest.url) == ("1.2", f"{upstream.web.url}/dl/hello-1.2.tar.gz")
    assert newest.published == "2020-01-02T02:04:05Z"


@pytest.mark.parametrize(
    ("feed", "entry", "wanted"),
    [("/pub/", "", "/pub/dl/"), ("/pub/", "deep/", "/pub/deep/dl/"), ("", "/x/", "/x/dl/")],
)
def test_links_resolve_against_the_base_that_a_feed_names(
    upstream: Watcher, feed: str, entry: str, wanted: str
) -> None:
    base = [f'xml:base="{part}"' if part else "" for part in (feed, entry)]
    body = f"""<feed xmlns="http://www.w3.org/2005/Atom" {base[0]}><entry {base[1]}>
      <title>x</title><link href="dl/hello-1.2.tar.gz"/></entry></feed>"""
    assert look(upstream, body).newest.url == f"{upstream.web.url}{wanted}hello-1.2.tar.gz"


def test_a_title_in_words_and_a_template(upstream: Watcher) -> None:
    body = """<rss version="2.0"><channel><item><title>Hello 1.2 is out,
      and 1.1 with it</title><link>http://h/news/7</link></item></channel></rss>"""
    sighting = look(
        upstream, body, pattern=r"Hello (?P<version>[\d.]+)", file_url="http://h/{version}.zip"
    )
    assert sighting.newest.url == "http://h/1.2.zip"


def test_an_enclosure_and_rdf(upstream: Watcher) -> None:
    body = """<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"
      xmlns="http://purl.org/rss/1.0/" xmlns:dc="http://purl.org/dc/elements/1.1/"><item>
      <title>x</title><enclosure url="http://h/hello-1.3.tar.gz" length="9" type="a/b"/>
      <dc:date>2021-02-03</dc:date></item></rdf:RDF>"""
    newest = look(upstream, body).newest
    assert (newest.version, newest.size) == ("1.3", 9)
    assert newest.published == "2021-02-03T00:00:00Z"


BAD = {
    "": "empty page",
    "<rss><channel/></rss>": "names no entry",
    sourceforge("x"): "names no entry that matches",
    "<html></html>": "HTML page",
    "<opml/>": "<opml>; feed or rss or RDF was wanted",
    "{}": "no XML",
}


@pytest.mark.parametrize(("body", "said"), BAD.items())
def test_bad_feeds_are_told(upstream: Watcher, body: str, said: str) -> None:
    with pytest.raises(Drifted, match=said):
        look(upstream, body)


@pytest.mark.parametrize(
    "head",
    [
        '<!DOCTYPE r [<!ENTITY a "b">]>',
        '<!DOCTYPE r [<!ENTITY a SYSTEM "file:///etc/passwd">]>',
        '<!DOCTYPE r SYSTEM "http://h/evil.dtd">',
    ],
)
def test_a_feed_with_a_document_type_is_hostile(upstream: Watcher, head: str) -> None:
    with pytest.raises(Hostile):
        look(upstream, f"{head}<rss><channel><item><title>1</title></item></channel></rss>")


@pytest.mark.parametrize("date", ["", "never", "Wed, 99 Jan 2017", "0" * 5000, "18 Jan 99999"])
def test_a_date_that_is_none_hurts_nobody(upstream: Watcher, date: str) -> None:
    body = sourceforge("1.0").replace("Wed, 18 Jan 2017 21:04:05 UT", date)
    assert look(upstream, body).newest.published == ""


def test_links_that_are_no_addresses_are_passed_over(upstream: Watcher) -> None:
    body = """<rss><channel><item><link>javascript:hello-1.0.tar.gz</link></item>
      <item><link>http://h/hello-1.1.tar.gz</link></item></channel></rss>"""
    assert versions(look(upstream, body)) == ["1.1"]
