"""Read Go libraries as distributions install them: by what each package exports, not by its files.

A library's -dev package has sources below one root, and what is built with it names import paths
and exported names (Go specification, "Exported identifiers"). How these are spread over files, and
what stands in internal/, concerns nobody else (`go help packages`). Nothing is run: declarations of
formatted sources begin at the left margin, and those in a block after one tab (gofmt).
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from toolsync.compat.files import Tree
from toolsync.compat.options import tamed
from toolsync.compat.surface import Draft

ROOT = "usr/share/gocode/src/"
"""Where Debian and Ubuntu install Go's sources (dh-golang)."""
_HIDDEN = re.compile(r"(?:^|/)(?:internal|vendor|testdata)(?:/|$)")
_TEXTS = re.compile(
    r"//[^\n]*|/\*(?:[^*]|\*(?!/))*(?:\*/)?|`[^`]*`?"
    r"|\"(?:[^\"\\\n]|\\.)*\"?|'(?:[^'\\\n]|\\.)*'?"
)
"""Comments and strings, in which there may be anything."""
_PACKAGE = re.compile(r"(?m)^package[ \t]+(\w+)")
_FUNCTION = re.compile(r"(?m)^func[ \t]+(?:\(([^()\n]{0,300})\)[ \t]*)?([A-Z]\w*)[ \t]*[\[(]")
_RECEIVER = re.compile(r"([A-Za-z_]\w*)[ \t]*(?:\[[^\n]*)?$")
_DECLARED = re.compile(r"(?m)^(type|var|const)[ \t]+(\w+(?:,[ \t]*\w+)*)")
_BLOCK = re.compile(r"(?m)^(type|var|const)[ \t]*\(\n((?:[^)\n][^\n]*\n|\n)*)")
_INSIDE = re.compile(r"(?m)^\t(\w+(?:,[ \t]*\w+)*)")


def import_path(file: str) -> str:
    """Return the import path of the package that an installed file belongs to; empty for none."""
    return file.removeprefix(ROOT).rpartition("/")[0] if file.startswith(ROOT) else ""


def is_hidden(path: str) -> bool:
    """Say whether nobody but its own module can import a package."""
    return bool(_HIDDEN.search(path))


def read_go(tree: Tree, draft: Draft) -> None:
    """Add each importable package as a library, with what it exports as its symbols."""
    for file in tree.named(re.escape(ROOT) + r".+(?<!_test)\.go"):
        path = import_path(file)
        text = None if is_hidden(path) else tree.text(file)
        if text is None:  # hidden, or told with all that could not be read
            continue
        code = tamed(_TEXTS.sub('""', text))
        package = _PACKAGE.search(code)
        if package is None or package[1] == "main":
            continue
        draft.add("library", path)
        for name, kind in exported(code):
            draft.add("symbol", f"{path} {name}", kind)


def exported(code: str) -> Iterator[tuple[str, str]]:
    """Yield the names that a source without comments exports, each with its kind.

    That is ``func``, ``type`` or ``value``; a method is named ``Type.Method``.
    """
    for receiver, name in _FUNCTION.findall(code):
        of = _RECEIVER.search(receiver)
        if of is None:
            yield name, "func"
        elif of[1][0].isupper():
            yield f"{of[1]}.{name}", "func"
    declared = [(kind, [names]) for kind, names in _DECLARED.findall(code)]
    declared += [(kind, _INSIDE.findall(block)) for kind, block in _BLOCK.findall(code)]
    for kind, lists in declared:
        for name in (name.strip() for names in lists for name in names.split(",")):
            if name[:1].isupper():
                yield name, "type" if kind == "type" else "value"
