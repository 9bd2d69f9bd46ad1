"""Plain listings are read by searching; whatever is read so, the parser reads the same."""

from __future__ import annotations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.bench.upstream import body as big_listing
from toolsync.http.answer import Page, Validators
from toolsync.watch.html import html_root, links_of
from toolsync.watch.listing import plain_links

APACHE = """<!DOCTYPE HTML PUBLIC "-//W3C//DTD HTML 3.2 Final//EN">
<html>
 <head>
  <title>Index of /releases</title>
 </head>
 <body>
<h1>Index of /releases</h1>
<pre><img src="/icons/blank.gif" alt="Icon "> <a href="?C=N;O=D">Name</a> <a href="?C=M">Last</a>
<hr><img src="/icons/back.gif" alt="[PARENTDIR]"> <a href="/">Parent Directory</a>      -
<img src="/icons/compressed.gif" alt="[   ]"> <a href="tool-1.0.tar.gz">tool-1.0.tar.gz</a>  1.2M
<hr></pre>
<address>Apache Server at example.org Port 80</address>
</body></html>
"""
NGINX = """<html>
<head><title>Index of /d/</title></head>
<body>
<h1>Index of /d/</h1><hr><pre><a href="../">../</a>
<a href="tool-1.0.tar.gz">tool-1.0.tar.gz</a>          01-Jan-2026 10:00     1234
</pre><hr></body>
</html>
"""

PIECES = st.sampled_from(
    [
        '<a href="tool-1.tar.gz">', '<a class="x" href="b">', '<a href="c" title="d">', "</a>",
        '<a href="first" href="second">', '<a title="t" href="x" href="y">', "<a>", '<a name="n">',
        "<a href='single'>", "<a href=bare>", '<A HREF="upper">', '<a HREF="mixed">', "<a href>",
        '<a href="a&amp;b">', '<a href=" spaced ">', '<a href="tab\tin">', '<a href="é">',
        '<a hreflang="en" href="z">', '<a data-href="no" href="yes">', '<a href = "wide">',
        '<a href="x"title="y">', '<a href="slash"/>', '<a/href="odd">', '<a\nhref="line">',
        "<table>", "<tr>", "<td>", "</td>", "</tr>", "</table>", "<p>", "<hr>", "<br/>", "<ul>",
        "<li>", "<pre>", "</pre>", '<img alt="a > b">', '<img alt="> <">', '<img alt="x" src="y">',
        "<script>", "</script>", "<style>", "</style>", "<title>", "</title>", "<textarea>",
        "</textarea>", "<!--", "-->", "<!", "<?", "<![CDATA[", "]]>", "</", "<", ">", '"', "'",
        "text", " ", "\n", "&lt;", "\0", "\x1b$B", "<base href='/b/'>", "<template>", "<svg>",
        "<meta charset=utf-16>", '<meta charset="utf-8">', "<select>", "<option>", "</select>",
        "<noscript>", "<iframe>", "<xmp>", "<plaintext>", "<abbr>", "<address>", "<article>",
    ]
)  # fmt: skip


def page(text: str | bytes, content_type: str = "text/html") -> Page:
    body = text.encode() if isinstance(text, str) else text
    return Page(url="http://h/d/", body=body, content_type=content_type, validators=Validators())


def parsed(it: Page) -> list[str]:
    return links_of(html_root(it))


@pytest.mark.parametrize("text", [APACHE, NGINX, big_listing()])
def test_servers_own_listings_need_no_parser(text: str | bytes) -> None:
    found = plain_links(page(text))
    assert found
    assert found == parsed(page(text))


@settings(max_examples=600, deadline=None)
@given(st.lists(PIECES, max_size=12))
@example(["<title>", '<a href="c" title="d">', "</title>"])
@example(['<img alt="> <">', '<a href="tool-1.tar.gz">'])
@example(["<!--", ">", '<a href="c" title="d">', "<", "-->"])
def test_what_is_read_without_a_parser_is_what_it_reads(pieces: list[str]) -> None:
    found = plain_links(page("".join(pieces)))
    assert found is None or found == parsed(page("".join(pieces)))


@settings(max_examples=300, deadline=None)
@given(
    st.lists(st.sampled_from(['<a href="', '">', '"', "<", ">", "a", " ", "=", "/"]), max_size=9)
)
def test_no_quote_hides_or_makes_a_link(pieces: list[str]) -> None:
    text = '<a href="x">' + "".join(pieces)
    found = plain_links(page(text))
    assert found is None or found == parsed(page(text))


@settings(max_examples=300, deadline=None)
@given(
    st.lists(st.sampled_from(['"', "=", "a", " ", "/", "!", "\f", "\v", ">", "<p "]), max_size=9)
)
def test_no_quote_in_another_tag_hides_a_link(pieces: list[str]) -> None:
    text = "<p " + "".join(pieces) + '><a href="x">x</a><a href="y">y</a>'
    found = plain_links(page(text))
    assert found is None or found == parsed(page(text))


LINK = '<a href="hidden">x</a><a href="tool-1.0.tar.gz">y</a>'


@pytest.mark.parametrize(
    "text",
    [
        f'<p a" b="c>{LINK}', f'<p =" b=">{LINK}', f'<p x=y=" b=">{LINK}', f'<p x= y=" b=">{LINK}',
        f'<p !x=" b=">{LINK}', f'<!DOCTYPE html PUBLIC "x>{LINK}',
        f'<a\vhref="hidden">x</a>{LINK}', f'<a\fhref="hidden">x</a>{LINK}',
        f'<meta charset="us-ascii">ä{LINK}', f'<meta charset="windows-1252">Á{LINK}',
        f'<meta charset="&#73;BM037">{LINK}', f'<p>ä http-equiv content charset=IBM037{LINK}',
    ],
)  # fmt: skip
def test_what_parsers_read_otherwise_is_left_to_them(text: str) -> None:
    assert plain_links(page(text)) is None


def test_a_charset_that_the_page_is_not_in_is_left_to_the_parser() -> None:
    ascii_only = "text/html; charset=us-ascii"
    assert plain_links(page(LINK, ascii_only)) == ["hidden", "tool-1.0.tar.gz"]
    assert plain_links(page("ä" + LINK, ascii_only)) is None


@pytest.mark.parametrize("charset", ["utf-16", "utf-7", "iso-2022-jp", "hz-gb-2312", "cp037"])
def test_other_encodings_are_left_to_the_parser(charset: str) -> None:
    text = '<a href="tool-1.0.tar.gz">x</a>'
    assert plain_links(page(text, f"text/html; charset={charset}")) is None
    assert plain_links(page(f'<meta charset="{charset}">{text}')) is None
    assert plain_links(page(text, "text/html; charset=UTF-8")) == ["tool-1.0.tar.gz"]
