"""Who made a program, where it lives and what it does, in its makers' words.

Read from the tree's own metadata first; upstream-ontologist, where it is installed, knows many more
places (README, DOAP, AppStream, opam …). It runs in the sandbox in which releases are probed, for
what it reads is a stranger's.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, fields, replace
from functools import reduce

from toolsync.scaffold.python import part, table
from toolsync.scaffold.tree import Tree
from toolsync.system.sandbox import TOOL, Sandbox

PROGRAM = "guess-upstream-metadata"
_LONGEST = 79
"""Characters of a synopsis (Debian Policy 3.4.1 asks for less than 80)."""
_SHORTEST = 30
"""Characters that a shortened synopsis has at least."""
_IS = r"(?:is|are|provides|allows|lets|implements|gives|shows|prints|makes|runs|says)\b"
_TERMS = re.compile(r"(?i)^[^.]*\b(?:licen[sc]e|free software|deprecated|unmaintained)\b")
_LINE = re.compile(r"^(?:X-)?(\w+): (.*) - certainty (\w+) \(from ")
_CERTAIN = frozenset({"certain", "confident", "likely"})
_FIELDS = {"Summary": "summary", "Homepage": "homepage", "Description": "description"}
_AUTHOR = re.compile(r"name='([^']+)'(?:, email='([^']+)')?")
_MARKED = re.compile(r"!?\[([^\]]*)\]\([^)]*\)|`+|\*\*|<[^>]*>|\|")


@dataclass(frozen=True, slots=True, kw_only=True)
class Metadata:
    """What is known; what is not is empty."""

    summary: str = ""
    description: str = ""
    homepage: str = ""
    author: str = ""
    """``NAME <MAIL>``, or a name alone."""

    def filled(self, other: Metadata) -> Metadata:
        """Return this, with another's where this has nothing."""
        empty = [f.name for f in fields(self) if not getattr(self, f.name)]
        return replace(self, **{name: getattr(other, name) for name in empty})


def metadata_of(tree: Tree, name: str, sandbox: Callable[[], Sandbox]) -> Metadata:
    """Return what a tree says of its program; ``sandbox`` is one for its top folder."""
    found = reduce(Metadata.filled, _own(tree), Metadata())
    if not (found.summary and found.homepage and found.author):
        found = found.filled(_guessed(sandbox()))
    found = found.filled(_readme(tree, name))
    return replace(
        found,
        summary=synopsis(found.summary, name),
        homepage=found.homepage if re.fullmatch(r"https?://[!-~]+", found.homepage) else "",
        description=found.description if _is_text(found.description) else "",
        author=_named(found.author),
    )


def _is_text(text: str) -> bool:
    return " ".join(text.split()).isprintable()


def _named(text: str) -> str:
    """Return a person or a group, empty for a sentence about them."""
    line = " ".join(text.split())
    name = line.partition(" <")[0]
    is_name = len(name) <= _NAME and len(name.split()) <= _NAME_WORDS and "://" not in line
    is_name = is_name and line.isprintable()
    return line if is_name and not re.search(r"[:;!?]|\b(?:was|is|by|see)\b", name) else ""


_NAME, _NAME_WORDS = 60, 6


def _own(tree: Tree) -> Iterator[Metadata]:
    project = part(table(tree.text("pyproject.toml")), "project")
    urls = {str(key).lower(): str(url) for key, url in part(project, "urls").items()}
    yield Metadata(
        summary=_word(project.get("description")),
        homepage=next((urls[key] for key in _HOMES if key in urls), ""),
        author=_people(project.get("authors")),
    )
    crate = part(table(tree.text("Cargo.toml")), "package")
    yield Metadata(
        summary=_word(crate.get("description")),
        homepage=_word(crate.get("homepage")) or _word(crate.get("repository")),
        author=_people(crate.get("authors")),
    )
    for path in ("package.json", "META.json"):
        raw = _json(tree.text(path))
        home = raw.get("homepage") or part(raw, "resources").get("homepage")
        yield Metadata(
            summary=_word(raw.get("description") or raw.get("abstract")),
            homepage=_word(home),
            author=_people(raw.get("author")),
        )
    for path in tree.at_top("*.gemspec"):
        text = tree.text(path)
        yield Metadata(
            summary=_quoted(text, "summary"),
            description=_quoted(text, "description"),
            homepage=_quoted(text, "homepage"),
            author=_quoted(text, "authors?"),
        )
    setup = tree.text("setup.py")
    yield Metadata(
        summary=_quoted(setup, "description"),
        homepage=_quoted(setup, "url"),
        author=_quoted(setup, "author"),
    )


_HOMES = ("homepage", "home", "home-page", "repository", "source", "source code", "documentation")


def _json(text: str) -> Mapping[str, object]:
    try:
        raw = json.loads(text) if text else {}
    except (ValueError, RecursionError):
        return {}
    return raw if isinstance(raw, dict) else {}


def _word(value: object) -> str:
    return value.strip() if isinstance(value, str) else ""


def _people(value: object) -> str:
    """Return the first of those who are named, in any of the forms that metadata have."""
    first = value[0] if isinstance(value, list) and value else value
    if isinstance(first, Mapping):
        name, mail = _word(first.get("name")), _word(first.get("email"))
        return f"{name} <{mail}>" if name and mail else name or mail
    return "" if _word(first) == "unknown" else _word(first)


def _quoted(text: str, key: str) -> str:
    """Return the string that is given to a name, in Ruby's or Python's spelling."""
    given = re.search(rf"(?m)\b{key}\s*=\s*\[?\s*(['\"])(.*?)\1", text)
    return given[2].strip() if given else ""


def _guessed(sandbox: Sandbox) -> Metadata:
    """Return what upstream-ontologist reads in the tree, nothing where it cannot be asked."""
    if not sandbox.has(PROGRAM) or sandbox.unusable():
        return Metadata()
    seen = sandbox.run(PROGRAM, "--scan", "--disable-net-access", TOOL)
    found: dict[str, str] = {}
    for line in seen.out.splitlines():
        match = _LINE.match(line)
        if not match or match[3] not in _CERTAIN:
            continue
        if match[1] == "Author" and (author := _AUTHOR.search(match[2])):
            found.setdefault("author", f"{author[1]} <{author[2]}>" if author[2] else author[1])
        elif match[1] in _FIELDS:
            found.setdefault(_FIELDS[match[1]], _literal(match[2]))
    return Metadata(**found)


def _literal(text: str) -> str:
    try:
        return str(ast.literal_eval(text))
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return ""


def _readme(tree: Tree, name: str) -> Metadata:
    """Return the first paragraph of a README that says what the program is."""
    subject = rf"\W?{re.escape(name)}\W?(?: \(\w+\))?|this (?:program|tool|library|project|package)"
    says = re.compile(rf"(?i)^(?:the )?(?:{subject}) {_IS}")
    for path in tree.at_top("README", "README.md", "README.rst", "README.txt", "Readme*"):
        for block in re.split(r"\n\s*\n", tree.text(path)[:20_000]):
            lines = [line.strip() for line in block.strip().splitlines()]
            text = _MARKED.sub(lambda m: m[1] or "", " ".join(lines)).strip()
            titled = any(set(line) <= set("=-~#*^") for line in lines) or block.startswith("#")
            if (
                not titled
                and text[-1:] in ".!:"
                and text.isprintable()
                and says.match(text)
                and not _TERMS.search(text)
            ):
                first = re.split(r"(?<=[.!])\s", text)[0]
                return Metadata(summary=first, description=text[:2000])
    return Metadata()


def synopsis(text: str, name: str) -> str:
    """Return a summary as Debian wants it (Developer's Reference 6.2.2): no article, name or stop.

    Empty where nothing of it is left.
    """
    line = " ".join(text.split())
    line = re.sub(rf"(?i)^\W?{re.escape(name)}\b\W*(?:is\b|are\b)?\s*", "", line)
    line = re.sub(
        r"(?i)^(?:[\w{}.+-]+|this \w+|it) (?:is|are) (?=(?:an?|the|one|used)\b)", "", line
    )
    line = re.sub(r"(?i)^(?:an?|the)\s+", "", line).rstrip(".!:; ")
    if len(line) > _LONGEST:
        line = _shortened(line)
    return line if line.isprintable() and re.search(r"\w", line) else ""


def _shortened(line: str) -> str:
    """Return the beginning of a long synopsis, up to where a part of its sentence ends."""
    start = line[: _LONGEST + 1]
    ends = [start.rfind(word) for word in (",", ";", " - ", " (", " that ", " which ", " with ")]
    end = max(at for at in (*ends, -1))
    short = start[:end] if end > _SHORTEST else start.rpartition(" ")[0]
    return short.rstrip(",;:-( ")
