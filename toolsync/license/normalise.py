"""Reduce a license text to its words, so that only a change of terms changes the fingerprint.

Folded away are encoding, line breaks, punctuation, case, comment leaders, quotes, markup and
statements of copyright (see `notice`). Everything else stays, also what stands in comments, in
the rest of a copyright line, and in titles: a clause may hide in any of them.
"""

from __future__ import annotations

import hashlib
import html
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

from toolsync.license.notice import Chunk, without_notices

TEXT_BYTES = 2 * 1024 * 1024
"""A license text is not longer than this; what is cannot be read as one."""

NO_WORDS = "has no words"
NOT_LEGIBLE = "is in a script or a spelling that is not read here"
SHORTEST = 40
"""Characters of words; what has no more states no terms."""
_CONTROLS = dict.fromkeys(code for code in range(32) if chr(code) not in "\t\n\r\f\v\x1a\x1b")
"""Characters that no text has, to be left out."""
_TAG = re.compile(
    r"</?(?:a|abbr|address|article|b|big|blockquote|body|br|center|code|dd|div|dl|dt|em|font"
    r"|footer|h[1-6]|head|header|hr|html|i|img|li|link|main|meta|ol|p|pre|section|small|span|strong"
    r"|sub|sup|table|tbody|td|th|thead|title|tr|tt|u|ul)\b([^<>]*)>|<!doctype[^<>]*>",
    re.IGNORECASE,
)
_SHOWN = re.compile(r"(?:href|title|alt)\s*=\s*(?:\"([^\"]*)\"|'([^']*)'|([^\s>]+))", re.IGNORECASE)
"""Attributes that a reader sees or follows."""
_BEFORE_RULER = re.compile(r"(?:#|//|\*|;)*+[ \t]*+")
"""The mark of a comment that a ruler may stand in."""
_LEADER = re.compile(r"[ \t]*(dnl|rem)\b", re.IGNORECASE)
_PLACEHOLDER = re.compile(
    r"[\[<{(]\s?(?:full\s?name|(?:the\s)?name\sof\s(?:the\s)?(?:copyright\s(?:owner|holder)|author)s?"
    r"|copyright\s(?:owner|holder)s?|owner|holder|author)s?\s?[\]>})]",
    re.IGNORECASE,
)
"""A holder's name that nobody has filled in."""
_WORD = re.compile(r"[^\W_]+")
_INSIDE = re.compile(r"(?<=\w)['\u2019\u2018`\u00b4-]+(?=\w)")
_SPELLINGS = {"licence": "license", "licences": "licenses", "licenced": "licensed", "https": "http"}

_PARTIES = (
    (("provided", "by"), ("as", "is")),
    (("as", "is", "and"), ("disclaims",)),
    (("as", "is", "and"), ("disclaim",)),
    (("in", "no", "event", "shall"), ("be", "liable")),
    (("neither", "the", "name", "of"), ("nor", "the", "names")),
    (("neither", "the", "names", "of"), ("nor", "the", "names")),
)
"""Where the licenses of the BSD family name a holder: not part of the terms (SPDX guidelines)."""
_PARTY_WORDS = 24
_NO_PARTY = frozenset(
    {
        "except",
        "if",
        "unless",
        "must",
        "may",
        "not",
        "only",
        "use",
        "used",
        "commercial",
        "license",
        "warranty",
        "terms",
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """A text as its words."""

    words: str
    """Lower case, one space between; empty where there are none."""
    problem: str = ""
    """Why this cannot count as read, in words that follow the file's name; else empty."""

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the words, in hex."""
        return fingerprint(self.words)


def fingerprint(words: str) -> str:
    """Return the SHA-256 of normalised words, in hex."""
    return hashlib.sha256(words.encode()).hexdigest()


def read(data: bytes) -> Text:
    """Return a license file's bytes as words; a problem is told and never raised."""
    if len(data) > TEXT_BYTES:
        digest = hashlib.sha256(data).hexdigest()
        return Text(words=digest, problem=f"has more than {TEXT_BYTES} bytes, too many for a text")
    text = decode(data)
    if text is None:
        return Text(words=hashlib.sha256(data).hexdigest(), problem="is no text")
    words = normalise(text)
    return Text(words=words, problem="" if words else NO_WORDS)


def decode(data: bytes) -> str | None:
    """Return text in UTF-8, UTF-16, UTF-32 or else Windows' Latin; None for what is no text."""
    text = _in_its_encoding(data)
    if text is None:
        return None
    controls = len(text) - len(text.translate(_CONTROLS))
    return None if controls * 20 > len(text) else text


_MARKS = (
    (b"\xff\xfe\0\0", "utf-32"),  # begins as UTF-16 does
    (b"\0\0\xfe\xff", "utf-32"),
    (b"\xff\xfe", "utf-16"),
    (b"\xfe\xff", "utf-16"),
)
"""What a text may begin with that says how it is written."""


def _in_its_encoding(data: bytes) -> str | None:
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return _decoded(data, encoding)
    if b"\0" in data:
        # Text in a Latin script has its zeros at every other byte.
        even, odd = data[::2].count(0), data[1::2].count(0)
        if max(even, odd) * 4 < len(data) or min(even, odd):
            return None
        return _decoded(data, "utf-16-be" if even else "utf-16-le")
    text = _decoded(data, "utf-8-sig")
    return _decoded(data, "cp1252") or data.decode("latin-1") if text is None else text


def is_legible(words: str) -> bool:
    """Say whether words are in Latin letters, and of more than one: phrases are found in no others.

    Few words are legible, whatever they are.
    """
    letters = words.replace(" ", "")
    if len(words) <= SHORTEST:
        return True
    latin = sum(letter <= "\u024f" for letter in letters)
    return latin * 2 > len(letters) and len(letters) >= 2 * (words.count(" ") + 1)


def _decoded(data: bytes, encoding: str) -> str | None:
    try:
        return data.decode(encoding)
    except UnicodeDecodeError:
        return None


def normalise(text: str) -> str:
    """Return a text's words, lower case, one space between."""
    return " ".join(_without_parties(words_of(text)))


def words_of(text: str) -> list[str]:
    """Return a text's words, lower case, with the parties that it names."""
    return [word for chunk in without_notices(_chunks(_plain(text))) for word in _words(chunk.text)]


def words_of_notices(text: str) -> frozenset[str]:
    """Return the words that stand in a text's statements of copyright."""
    chunks = _chunks(_plain(text))
    kept = set(map(id, without_notices(chunks)))
    return frozenset(w for chunk in chunks if id(chunk) not in kept for w in _words(chunk.text))


def sections(text: str) -> tuple[str, ...]:
    """Return the parts of a text between rulers (lines of dashes and the like), in order."""
    parts: list[list[str]] = [[]]
    for line in text.splitlines():
        if _is_ruler(line):
            parts.append([])
        else:
            parts[-1].append(line)
    joined = ("\n".join(lines) for lines in parts)
    return tuple(part for part in joined if part.strip())


def _is_ruler(line: str) -> bool:
    """Say whether a line is four or more of one sign, and perhaps a comment's marks around it."""
    text = line.strip().removesuffix("*/").rstrip(" \t")
    sign = text[-1:]
    head = text.rstrip(sign) if sign else ""
    is_long = len(text) - len(head) > 3 and sign in "-=*_#~+"
    return is_long and _BEFORE_RULER.fullmatch(head) is not None


def first_lines(text: str) -> Iterator[str]:
    """Yield the lines of a text as normalised words, those that have any."""
    for line in _plain(text[:4096]).splitlines():
        words = " ".join(word for part in line.split() for word in _words(part))
        if words:
            yield words


def _plain(text: str) -> str:
    """Return a text without tags, entities, invisible signs and typographic forms.

    Of a comment in markup only the marks go: what it says may be a clause.
    """
    text = _PLACEHOLDER.sub("Name", text)
    if "<" in text and _TAG.search(text):
        text = html.unescape(_TAG.sub(_shown, text))
    elif "&" in text:
        text = re.sub(r"&(?:copy|quot|amp|lt|gt|apos|nbsp|#\d{1,5});", _entity, text)
    if not text.isascii():
        text = text.replace("\u00a9", " \u00a9 ").replace("\u00ad", "")
        text = unicodedata.normalize("NFKC", text)
        text = "".join(ch for ch in text if ch.isascii() or unicodedata.category(ch) != "Cf")
    for raw, word in (("&", " and "), ("%", " percent "), ("$", " dollars ")):
        text = text.replace(raw, word)
    return text


def _shown(tag: re.Match[str]) -> str:
    values = _SHOWN.findall(tag[1] or "")
    return " ".join(
        ["\n" if tag[0][1:3].lower() in ("p", "p>", "br") else " ", *map("".join, values)]
    )


def _entity(found: re.Match[str]) -> str:
    return html.unescape(found[0])


def _chunks(text: str) -> list[Chunk]:
    """Return what stands between blanks, with its line, words broken at a line's end joined."""
    lines = [line for line in text.splitlines() if _WORD.search(line) or "\u00a9" in line]
    led = [line for line in lines if _LEADER.match(line)]
    if len(led) * 2 > len(lines):
        lines = [_LEADER.sub("", line, count=1) for line in lines]
    found: list[Chunk] = []
    for number, line in enumerate(lines):
        first = True
        for part in line.split():
            if not _WORD.search(part) and part != "\u00a9":
                if found and not first and part in (",", ".", ";", ":"):
                    found[-1] = found[-1].plus(part)
                continue
            if first and found and _broken(found[-1].text) and part[0].islower():
                last = found.pop()
                found.append(Chunk(last.text + part, last.line, first=last.first))
            else:
                found.append(Chunk(part, number, first=first))
            first = False
    return found


def _broken(text: str) -> bool:
    return len(text) > 2 and text[-1] == "-" and text[-2].isalpha()


def _words(chunk: str) -> list[str]:
    found = _WORD.findall(_INSIDE.sub("", chunk).lower())
    return [_SPELLINGS.get(word, word) for word in found]


def _without_parties(words: list[str]) -> list[str]:
    """Return the words with one and the same word wherever a holder is named by the license."""
    out: list[str] = []
    at = 0
    while at < len(words):
        out.append(words[at])
        at += 1
        for before, after in _PARTIES:
            if words[at - 1] == before[-1] and tuple(words[at - len(before) : at]) == before:
                end = _party_end(words, at, after)
                if end:
                    out.append("@")
                    at = end
    return out


def _party_end(words: list[str], start: int, after: tuple[str, ...]) -> int:
    """Return where a party's name that starts at ``start`` ends, 0 if it is no name."""
    for end in range(start + 1, min(start + _PARTY_WORDS, len(words))):
        if tuple(words[end : end + len(after)]) == after:
            return end
        if words[end - 1] in _NO_PARTY:
            return 0
    return 0
