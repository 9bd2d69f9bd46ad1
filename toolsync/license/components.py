"""Find third-party components in a tree: jars, certificates, metadata, vendored folders."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import PurePosixPath

from toolsync.license import names, normalise
from toolsync.license.terms import Component, File

_CERTIFICATES = frozenset(
    {"cacert.pem", "ca-bundle.crt", "ca-certificates.crt", "cacerts.pem", "cacerts"}
)
_FONTS = frozenset({".ttf", ".otf", ".woff", ".woff2", ".eot"})
_OWN_VERSION = re.compile(rb"(?m)^__version__\s*=\s*['\"](\d[^'\"]*)['\"]")
_NESTED_META = frozenset(
    {"package.json", "METADATA", "PKG-INFO", "Cargo.toml", "go.mod", "composer.json", "bower.json"}
)
_BINARY_HEAD = 1024
_WHOLE = normalise.TEXT_BYTES
"""Of a longer file not all is at hand."""
_SPARSE = frozenset(
    {
        "test",
        "tests",
        "testing",
        "example",
        "examples",
        "doc",
        "docs",
        "fixtures",
        "testdata",
        "templates",
        "template",
    }
)


def is_binary(data: bytes) -> bool:
    """Say whether a file is no text that a header could stand in."""
    return b"\0" in data[:_BINARY_HEAD]


def in_file(path: str, data: bytes, digest: str) -> Iterator[Component]:
    """Yield what a single file shows: a jar, certificates, metadata of another project."""
    where = PurePosixPath(path)
    folder = where.parent.as_posix()
    if where.suffix in (".jar", ".war"):
        yield Component(
            kind="jar", name=names.plain_name(where.stem), path=path, digest=digest, files=1
        )
    elif where.name in _CERTIFICATES:
        yield Component(kind="certificates", name=where.name, path=path, files=1)
    elif where.suffix.lower() in _FONTS:
        yield Component(kind="font", name=names.plain_name(where.stem), path=path, files=1)
    elif where.name in _NESTED_META and folder not in (".", ".dist-info") and not _is_sparse(where):
        name = _nested_name(where, data)
        if name:
            yield Component(kind="package", name=name.lower(), path=folder, files=1)
    elif (
        where.name in ("__init__.py", "_version.py", "version.py", "__about__.py") and "/" in folder
    ):
        version = _OWN_VERSION.search(data[: 64 * 1024])
        if version and not _is_sparse(where):
            yield Component(kind="versioned", name=where.parent.name.lower(), path=folder, files=1)


def _is_sparse(where: PurePosixPath) -> bool:
    return any(part.lower() in _SPARSE for part in where.parts[:-1])


def _nested_name(where: PurePosixPath, data: bytes) -> str:
    """Return the name of the project that nested metadata describe, empty if they are a stub."""
    if where.name in ("METADATA", "PKG-INFO"):
        folder = where.parent.name
        if folder.endswith(".egg-info") and where.parent.parent.as_posix() in (".", "src", "lib"):
            return ""
        found = re.search(rb"(?m)^Name:[ \t]*(\S+)", data[:65536])
        return found[1].decode("ascii", "replace") if found else names.plain_name(folder)
    if where.suffix == ".json":
        try:
            table = json.loads(data)
        except (ValueError, RecursionError):
            # Of one that is too long only the beginning is here, which says nothing against it.
            return where.parent.name if len(data) > _WHOLE else ""
        if not isinstance(table, dict) or not table.get("version"):
            return ""
        return str(table.get("name") or "")[:200]
    return where.parent.name


def of(files: Sequence[File], parts: Iterable[Component]) -> tuple[Component, ...]:
    """Return all components of a tree: those that single files showed, and folders."""
    found = {(part.kind, part.name, part.path): part for part in parts}
    for part in (*_vendored(files), *_folders(files)):
        found.setdefault((part.kind, part.name, part.path), part)
    return tuple(sorted(found.values(), key=lambda part: (part.kind, part.name, part.path)))


def _vendored(files: Sequence[File]) -> Iterator[Component]:
    """Yield the children of folders for other people's work."""
    counts: Counter[tuple[str, str]] = Counter()
    for file in files:
        folder, child = names.vendored(file.path)
        # Python's own file of a folder, and its lists, are nobody's work.
        if (
            child
            and not child.startswith("__")
            and child.rpartition(".")[2] not in ("txt", "md", "rst", "toml")
        ):
            counts[folder, child] += 1
    for (folder, child), count in counts.items():
        kind = "library" if folder.endswith(".libs") else "vendored"
        stem = child.removesuffix(".py")
        yield Component(
            kind=kind, name=names.plain_name(stem), path=f"{folder}/{child}", files=count
        )


def _folders(files: Sequence[File]) -> Iterator[Component]:
    """Yield the packages at the top and below it; `bundled` sorts out which of them are new."""
    code: Counter[str] = Counter()
    for file in files:
        path = file.path
        if path.endswith((".py", ".pyx", ".so", ".rb", ".go", ".pm")):
            parts = path.split("/")[:-1]
            for depth in range(1, min(len(parts), 4) + 1):
                code["/".join(parts[:depth])] += 1
    for folder, count in code.items():
        if not any(part.lower() in _SPARSE for part in folder.split("/")):
            yield Component(
                kind="folder", name=folder.rpartition("/")[2].lower(), path=folder, files=count
            )
