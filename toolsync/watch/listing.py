"""Read the links of a plain listing by searching, without parsing the page.

Most release pages are listings as Apache and nginx write them: tags, text and links, with no
script, no comment, no entity in a link. Of such a page the links can be told by searching, in half
the time that a parser takes. A page about which there is the least doubt is left to the
parser; what is read here is what the parser would have read, and where elements stand
in each other more than 256 deep, what the parser leaves out.
"""

from __future__ import annotations

import re

from toolsync.http.answer import Page
from toolsync.watch.reading import charset_of

_LARGEST = 2 * 1024 * 1024
"""Bytes of a page that is parted at each tag; what is larger may have very many."""
_TEXT = re.compile(rb"[^<>\"']*+")
_TAG = re.compile(
    rb"(/?[a-z][a-z0-9]*+/?)"  # its name
    rb"(?:\s++[A-Za-z][A-Za-z-]*+(?:=\"[^\"<>']*+\"|(?!=)))*+\s*+/?+>" + _TEXT.pattern
)
"""What follows a ``<``, up to the next one: no quote, and no ``>``, but those of a plain tag."""
_COMMON = frozenset(
    b"a abbr address b blockquote body br center code dd div dl dt em font footer h1 h2 h3 h4 h5 h6"
    b" head header hr html i img li link main meta nav ol p pre section small span strong table"
    b" tbody td tfoot th thead title tr tt u ul".split()
)
"""Elements that change nothing in what the tags after them mean; of ``title`` see below."""
_USUAL = _COMMON | {b"/" + name for name in _COMMON} | {b"br/", b"hr/"}
_HEAD = re.compile(
    rb"\s*<!doctype\s+html(?:\s+public\s+\"[^\"'<>]*\"(?:\s+\"[^\"'<>]*\")?)?\s*>", re.IGNORECASE
)
_TITLE = re.compile(rb"<title>[^<]*</title>")
_LINK = re.compile(rb"<a(?:\s+(?!href)[a-z][a-z-]*=\"[^\"]*\")*\s+href=\"([!#-%'-~]*)\"(?=[\s>])")
_CHARSETS = frozenset({"utf-8", "utf8", "iso-8859-1"})
_NARROW = _CHARSETS | {"us-ascii", "ascii", "windows-1252"}
"""Those in which ASCII is the same; at other bytes the parser might stop."""
_META = re.compile(rb"charset\s*=\s*[\"']?([\w.:-]*)", re.IGNORECASE)
_META_TAG = re.compile(rb"<meta[^>]*")


def plain_links(page: Page) -> list[str] | None:
    """Return the ``href`` of each link of a plain listing, in their order; None of any other page.

    Doubtful is every page in which a tag might not be what it looks like: a quote that seems to end
    a value may begin one, which hides the tags that follow; an encoding may write tags otherwise.
    """
    body = page.body or b""
    if len(body) > _LARGEST:
        return None
    head = _HEAD.match(body)
    rest = body[head.end() :] if head else body
    text, *pieces = rest.split(b"<")
    tags = [_TAG.fullmatch(piece) for piece in set(pieces)]  # most rows of a listing are alike
    if not _TEXT.fullmatch(text) or not all(tags):
        return None
    names = {tag[1] for tag in tags if tag}
    if not _USUAL.issuperset(names) or not _is_legible(page, body, b"meta" in names):
        return None
    if b"title" in names and not _titles_hold_text(rest):
        return None
    links = _LINK.findall(rest)
    others = sum(rest.count(b"<" + name) for name in names if name[:1] == b"a" != name)
    if not links or len(links) != rest.count(b"<a") - others:
        return None  # what a page without links is, the parser says
    return b"\n".join(links).decode("ascii").split("\n")  # no link has a line's end in it


def _titles_hold_text(text: bytes) -> bool:
    """Say whether no tag stands in a title, where it would be none."""
    at = text.find(b"<title")
    while at >= 0:
        title = _TITLE.match(text, at)
        if title is None:
            return False
        at = text.find(b"<title", title.end())
    return True


def _is_legible(page: Page, body: bytes, meta: bool) -> bool:
    """Say whether ASCII's characters mean themselves in the page, which may have ``meta`` tags."""
    narrow = body.isascii()
    # Where other bytes are, some parsers take the word for it from anywhere in the page.
    named = [] if narrow and not meta else _META.findall(body)
    charsets = {name.decode("ascii", "replace").lower() for name in named}
    charsets.add(charset_of(page).lower() or "utf-8")
    if not (_NARROW if narrow else _CHARSETS).issuperset(charsets):
        return False
    if any(byte in body for byte in (b"\x1b", b"\0", b"\v", b"\f")):
        return False  # the last two are space to some parsers only
    if meta and any(b"&" in tag for tag in _META_TAG.findall(body)):
        return False  # a charset may be spelled with entities
    try:
        return bool(body.decode("utf-8"))
    except UnicodeDecodeError:
        return False
