"""Read what compiled packages offer: shared libraries with their symbols, headers, pkg-config.

Libraries are read by binutils' readelf in the sandbox, as files that strangers made. What is
private is left out: plugins below a folder of their own, symbols of a version that is called
private, and what a C++ compiler instantiates of its own library (dpkg-gensymbols(1)).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import PurePosixPath

from toolsync.compat.files import Tree
from toolsync.compat.surface import Draft
from toolsync.system.sandbox import TOOL, Sandbox

_TRIPLET = r"(?:[a-z0-9_]+-linux-gnu\w*/)?"
_LIBRARY = rf"(?:usr/)?lib/{_TRIPLET}[^/]+\.so(?:\.[^/]+)*"
_HEADER = re.compile(rf"usr/include/{_TRIPLET}(.+)")
_PKGCONFIG = re.compile(rf"usr/(?:lib/{_TRIPLET}|share/)pkgconfig/([^/]+)\.pc")
_ELF = b"\x7fELF"
_SONAME = re.compile(r"\(SONAME\)\s+Library soname: \[([^\]\s]+)\]")
_SYMBOL = re.compile(
    r"\s*\d+: [0-9a-f]+\s+(\w+)\s+(\w+)\s+(GLOBAL|WEAK|UNIQUE)\s+(?:DEFAULT|PROTECTED)\s+"
    r"(?:\[[^\]]*\]\s+)?(\w+)\s+(\S+)"
)
"""A row of ``readelf --dyn-syms``: size, type, binding, section and name with its version."""
_OF_THE_LINKER = frozenset({"_init", "_fini", "_edata", "_end", "__bss_start"})
_INSTANCE = re.compile(r"_Z(?:T[ISV])?N?K?(?:St|Sa|Ss|9__gnu_cxx)")
_COMMENT = re.compile(r"/\*.{0,20000}?\*/|//[^\n]*|\\\n", re.DOTALL)
_TYPE = re.compile(r"\b(struct|union|enum)\s+(?:class\s+)?(\w*)\s*\{")
_MOST_BODY = 20_000
"""Characters of one type's definition."""


def read_headers(tree: Tree, draft: Draft) -> None:
    """Add installed headers, the types that they define, and what pkg-config knows."""
    for path in tree.sources:
        if match := _PKGCONFIG.fullmatch(path):
            draft.add("pkg-config", match[1])
        elif match := _HEADER.fullmatch(path):
            draft.add("header", match[1])
            for name, body in _types(tree.text(path) or ""):
                known = draft.of("type").get(name, body)
                draft.put("type", name, known if body in known else f"{known} | {body}")


def _types(text: str) -> Iterator[tuple[str, str]]:
    """Yield each C type that a header defines by its members: its name, and them."""
    text = _COMMENT.sub(" ", text)
    for match in _TYPE.finditer(text):
        end = _closing(text, match.end())
        named = re.compile(r"\s*(?:__\w+\s*(?:\(\([^)]*\)\))?\s*)?(\w+)\s*;").match(text, end)
        name = match[2] or (named[1] if named else "")
        if name and end:
            yield f"{match[1]} {name}", " ".join(text[match.end() : end - 1].split())


def _closing(text: str, start: int) -> int:
    """Return where the block that is open at ``start`` has ended, 0 for nowhere near."""
    depth = 1
    for brace in re.compile(r"[{}]").finditer(text, start, start + _MOST_BODY):
        depth += 1 if brace[0] == "{" else -1
        if depth == 0:
            return brace.end()
    return 0


def library_folders(tree: Tree) -> tuple[str, ...]:
    """Return the folders, from the tree's top, in which a package's own libraries lie."""
    found = (str(PurePosixPath(path).parent) for path in tree.files if ".so" in path)
    return tuple(sorted({folder for folder in found if re.match(r"(?:usr/)?lib\b", folder)}))


def read_libraries(tree: Tree, draft: Draft, sandbox: Sandbox) -> None:
    """Add each shared library by its soname, with the symbols that it gives to programs."""
    seen: set[str] = set()
    unusable = ""
    for path in tree.named(_LIBRARY):
        if tree.head(path, 4) != _ELF or (real := str(tree.files[path])) in seen:
            continue
        unusable = unusable or ("" if seen else sandbox.unusable())
        seen.add(real)
        name = PurePosixPath(path).name
        said = None if unusable else sandbox.run(*_READELF, f"{TOOL}/{path}")
        if said is None or said.stopped or "Dynamic section" not in said.out or "Err" in said.err:
            why = unusable or (said and (said.stopped or said.err.strip())) or "it names none"
            draft.gap("library", name, f"its symbols could not be read: {why}")
            continue
        _symbols(said.out, name, draft)


_READELF = ("/usr/bin/readelf", "--wide", "--dynamic", "--dyn-syms")


def _symbols(text: str, file: str, draft: Draft) -> None:
    """Add what readelf says of one library."""
    soname = _SONAME.search(text)
    library = soname[1] if soname else file
    draft.add("library", library)
    for size, kind, binding, section, symbol in _SYMBOL.findall(text):
        name, _, version = symbol.replace("@@", "@").partition("@")
        instance = binding != "GLOBAL" and _INSTANCE.match(name)
        if section in ("UND", "ABS") or name in _OF_THE_LINKER or instance:
            continue
        if "PRIVATE" not in version.upper():
            what = kind.replace("IFUNC", "FUNC")
            value = what if what == "FUNC" else f"{what} of {size} bytes"
            draft.add("symbol", f"{library} {symbol.replace('@@', '@')}", value)
