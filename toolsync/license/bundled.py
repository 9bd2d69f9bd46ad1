"""Find new third-party components, and new files under other terms than those around them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from toolsync.license import hints
from toolsync.license.change import REVIEW, Change, listed, shown
from toolsync.license.terms import Component, LicenseText, Terms

_REMARKS = {
    "vendored": "vendored code that was not there before",
    "library": "a bundled library that was not there before",
    "jar": "a jar that was not there before",
    "package": "another project's metadata, so its code, are inside now",
    "versioned": "code with a version of its own is inside now",
    "certificates": "a bundle of certificates (usually MPL-2.0) is inside now",
    "font": "a font that was not there before",
    "embedded": "what it used to depend on is inside now",
    "top": "a new top-level package",
}


_FEW = 3
"""Files of code that make a folder more than a stub."""
_HOMES = frozenset({"vendored", "embedded", "top"})
"""Kinds that are a folder of somebody else's work."""
_INNER = frozenset({"package", "versioned", "certificates", "font"})
"""Kinds that are only signs of such a folder."""


def bundled_changes(old: Terms, new: Terms) -> Iterator[Change]:
    """Yield the components that are new, then the files under terms of their own."""
    fresh = _fresh(old, new)
    yield from _components(fresh, new)
    homes = tuple(f"{part.path}/" for parts in fresh.values() for part in parts)
    yield from _files(old, new, homes)


def _fresh(old: Terms, new: Terms) -> dict[tuple[str, str], list[Component]]:
    """Return the new components by kind and name, without those that lie in another one."""
    had: dict[str, set[str]] = defaultdict(set)
    for part in old.components:
        had[part.kind].add(part.name)
    jars = {part.digest for part in old.components if part.kind == "jar"}
    news = [(kind, part) for part in new.components if (kind := _news(part, old, had, jars))]
    homes = tuple(f"{part.path}/" for kind, part in news if kind in _HOMES)
    fresh: dict[tuple[str, str], list[Component]] = defaultdict(list)
    for kind, part in news:
        inner = kind in _INNER and f"{part.path}/".startswith(homes)
        outer = kind in _HOMES and part.path.startswith(homes)
        if not inner and not outer:
            fresh[kind, part.name].append(part)
    return fresh


def _components(fresh: dict[tuple[str, str], list[Component]], new: Terms) -> Iterator[Change]:
    """Yield a change for each group of new components."""
    for (kind, name), parts in sorted(fresh.items()):
        paths = tuple(part.path for part in parts)
        below = tuple(f"{path}/" for path in paths)
        count = sum(file.path in paths or file.path.startswith(below) for file in new.files)
        inside = {
            part.kind
            for part in new.components
            if part.kind in _INNER and part.path.startswith(below)
        }
        also = f" (among it {listed(inside)})" if inside else ""
        files = f", {count} files" if count > 1 else ""
        yield Change(
            code=f"bundled-{kind}",
            verdict=REVIEW,
            message=f"{shown(paths)}{files}: {_REMARKS[kind]}{also}",
            about=(name, *(part.digest for part in parts if part.digest)),
            paths=paths,
        )


def _news(part: Component, old: Terms, had: dict[str, set[str]], jars: set[str]) -> str:
    """Return in which way a component is new, empty if it is not."""
    if part.kind == "jar":
        return "" if part.digest in jars else "jar"
    if part.kind != "folder":
        return "" if part.name in had[part.kind] else part.kind
    if part.name in had["folder"] or part.name in had["vendored"] or part.files < _FEW:
        return ""
    if part.name.replace("_", "-") in old.requires:
        return "embedded"
    python = "/" not in part.path and bool(old.mains or old.files)
    return "top" if python and part.name not in _HOUSE else ""


_HOUSE = frozenset(
    [
        "src",
        "lib",
        "bin",
        "scripts",
        "tools",
        "build",
        "dist",
        "debian",
        "packaging",
        "benchmarks",
        "benchmark",
        "context",
        "ci",
        "utils",
        "tasks",
    ]
)
"""Folders at the top that hold a project's own work."""


def _files(old: Terms, new: Terms, homes: tuple[str, ...]) -> Iterator[Change]:
    """Compare (path, id) pairs: a set of ids hides an MIT file in a tree that has others."""
    seen = {file.digest for file in old.files}
    now = new.ids()
    before = {path: frozenset(map(hints.family, ids)) for path, ids in old.ids().items()}
    around: dict[str, set[str]] = defaultdict(set)
    for path, ids in before.items():
        folder = path
        while "/" in folder:
            folder = folder.rpartition("/")[0]
            around[folder] |= ids
    main = frozenset(hints.family(name) for text in new.mains for name in _ids(text))
    texts = {text.path for text in new.texts} | {text.path for text in old.texts}
    fresh: dict[str, list[str]] = defaultdict(list)
    for file in new.files:
        if file.digest in seen or file.path in texts or file.path.startswith(homes):
            continue
        ids = frozenset(map(hints.family, now[file.path])) - main
        known = before.get(file.path)
        ids -= known if known is not None else _near(file.path, around)
        for name in ids:
            fresh[name].append(file.path)
    for name, paths in sorted(fresh.items()):
        whose = "their" if len(paths) > 1 else "its"
        yield Change(
            code="file-license",
            verdict=REVIEW,
            message=f"{shown(paths)}: under {name} now, by {whose} own words",
            about=(name, *paths),
            paths=tuple(paths),
        )


def _near(path: str, around: dict[str, set[str]]) -> set[str]:
    """Return the ids of the nearest folder above a new file that was there before, but the top."""
    folder = path.rpartition("/")[0]
    while folder and folder not in around:
        folder = folder.rpartition("/")[0]
    return around.get(folder, set()) if folder else set()


def _ids(text: LicenseText) -> tuple[str, ...]:
    return (text.id,) if text.id else hints.ids(text.words[: hints.HEAD_BYTES].encode())
